import type { Field } from "./fields/field.ts";
import { FIELD_KEYS, type FieldKey, fieldOf } from "./fields.ts";
import type { Configuration, SettingOrigin } from "./precedence.ts";
import { formatQuantity } from "./units.ts";
import { type EndpointSetting, maskUrl } from "./values/endpoint.ts";

/** A setting in effect, for display. */
interface EffectiveSetting {
  field: Field;
  name: string;
  /** Secrets are masked; numbers are in `unit`. */
  value: unknown;
  /** The value as people read it. */
  text: string;
  unit?: "ms" | "bytes";
  origin: SettingOrigin;
}

const MASK = "***";

/** All settings in effect, in the order of the help, with API keys masked. */
export function effectiveSettings({ settings, origins }: Configuration): EffectiveSetting[] {
  const shown = {
    ...settings,
    oidcIssuer: settings.oidcIssuer && maskUrl(settings.oidcIssuer),
    engineArgs: withoutSecrets(settings.engineArgs),
    models: settings.models.map((model) =>
      model.settings?.args === undefined
        ? model
        : { ...model, settings: { ...model.settings, args: withoutSecrets(model.settings.args) } },
    ),
    updateFeed: settings.updateFeed && maskUrl(settings.updateFeed),
    httpProxy: settings.httpProxy && maskUrl(settings.httpProxy),
    httpsProxy: settings.httpsProxy && maskUrl(settings.httpsProxy),
    endpoints: settings.endpoints.map(masked),
    workers: settings.workers.map(masked),
    providers: settings.providers.map(masked),
  };
  const keys = FIELD_KEYS.filter((key): key is Exclude<FieldKey, "mmproj"> => key !== "mmproj");
  return keys.map((key) => {
    const field = fieldOf(key);
    const { name, unit, secret, fallbackText = "none" } = field;
    const value = secret && shown[key] !== null ? MASK : shown[key];
    const isDefault = origins[key].source === "default";
    const text = value === null && isDefault ? fallbackText : describe(value, unit);
    return {
      field,
      name,
      value,
      text,
      ...(unit === undefined ? {} : { unit }),
      origin: origins[key],
    };
  });
}

/** Arguments of llama-server without what stands behind names of secrets, such as `--hf-token`. */
function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, at) => {
    const [name = "", value] = arg.split("=", 2);
    if (value !== undefined && isSecretName(name)) return `${name}=${MASK}`;
    return isSecretName(args[at - 1] ?? "") ? MASK : maskUrl(arg);
  });
}

function isSecretName(arg: string): boolean {
  return arg === "-hft" || /^--?[\w-]*(?:token|key|password|secret)$/.test(arg);
}

function masked({ name, url, apiKey }: EndpointSetting) {
  return { name, url, ...(apiKey === undefined ? {} : { api_key: MASK }) };
}

function describe(value: unknown, unit: "ms" | "bytes" | undefined): string {
  if (value === null) return "none";
  if (typeof value === "number" && unit !== undefined) return formatQuantity(value, unit);
  if (!Array.isArray(value)) return typeof value === "string" ? value : JSON.stringify(value);
  if (value.length === 0) return "none";
  if (value.every((item) => typeof item === "string")) return value.join(" ");
  return value.map(describeItem).join("\n");
}

function describeItem(item: unknown): string {
  const entry: Record<string, unknown> = { ...(item as object) };
  if (typeof entry.to === "string") return `${entry.model} = ${entry.to}`;
  const place = entry.url ?? entry.path;
  const key = entry.api_key === undefined ? "" : ` (key ${MASK})`;
  const mmproj = entry.mmproj === undefined ? "" : ` (mmproj ${entry.mmproj})`;
  const settings = entry.settings === undefined ? "" : ` ${JSON.stringify(entry.settings)}`;
  return `${entry.name ?? entry.id} = ${place ?? ""}${key}${mmproj}${settings}`;
}
