import { dirname, join } from "node:path";
import { type ConfigFile, readConfigFile } from "./configfile.ts";
import { ConfigError } from "./error.ts";
import { envName, type Field, flagName } from "./fields/field.ts";
import { oidcFault } from "./fields/oidc.ts";
import { FIELD_KEYS, FIELDS, type FieldKey, type FieldValues, fieldOf } from "./fields.ts";
import type { Mode } from "./mode.ts";
import type { Settings } from "./settings.ts";
import { unknownVariables } from "./unknownvariables.ts";
import { maskUrl } from "./values/endpoint.ts";
import { unknownProvider } from "./values/fallback.ts";
import { attachProjectors } from "./values/model.ts";

/** Where a setting came from, strongest first. */
type SettingSource = "flag" | "env" | "file" | "default";

export interface SettingOrigin {
  source: SettingSource;
  /** The flag, variable or file itself, e.g. `LLMLB_PORT`; `default`. */
  name: string;
}

/** Values given as flags, by setting; lists for flags that may be repeated. */
export type FlagValues = { [K in FieldKey]?: string | boolean | string[] };

export interface ConfigSources {
  flags: FlagValues;
  env: Record<string, string | undefined>;
  /** Relative paths of flags and variables start here. Default: the working folder. */
  cwd?: string;
  /** Take no setting from config.json. */
  withoutFile?: boolean;
}

/** The settings in effect and how they came about. */
export interface Configuration {
  settings: Settings;
  origins: Record<FieldKey, SettingOrigin>;
  /** Path of config.json, whether it exists or not. */
  file: string;
  /** What the operator should change, a sentence each. */
  warnings: string[];
}

const STRENGTH: Record<SettingSource, number> = { flag: 3, env: 2, file: 1, default: 0 };

/**
 * The settings in effect: flags before environment before `<home>/config.json` before defaults.
 * Throws `ConfigError` for the first value that is wrong.
 */
export function loadSettings(sources: ConfigSources): Configuration {
  const { flags, env, cwd = process.cwd(), withoutFile = false } = sources;
  const home = resolveField(FIELDS.home, { flag: flags.home, env, cwd, mode: "standalone" });
  const file = join(home.value, "config.json");
  const places = { env, cwd, ...(withoutFile ? {} : { file: readConfigFile(file) }) };
  const mode = resolveField(FIELDS.mode, { ...places, flag: flags.mode, mode: "standalone" });

  const origins: Partial<Record<FieldKey, SettingOrigin>> = {};
  const values: Partial<Record<FieldKey, unknown>> = {};
  for (const key of FIELD_KEYS) {
    const candidates = { ...places, flag: flags[key], mode: mode.value };
    const { value, origin } = resolveField(fieldOf(key), candidates);
    values[key] = value;
    origins[key] = origin;
  }
  const complete = origins as Record<FieldKey, SettingOrigin>;
  const deprecated = FIELD_KEYS.flatMap((key) => deprecation(fieldOf(key), complete[key]));
  const warnings = [...deprecated, ...unknownVariables(env)];
  const settings = joinProjectors(values as unknown as FieldValues, complete);
  return { settings, origins: complete, file, warnings };
}

function deprecation(field: Field, { name }: SettingOrigin): string[] {
  if (field.deprecated?.includes(name) !== true) return [];
  return [`${name} is deprecated: use ${envName(field)}.`];
}

/**
 * Joins the projectors with their models; projectors from a weaker source than the models' are
 * ignored. Throws `ConfigError` for settings that contradict each other.
 */
function joinProjectors(
  { mmproj, ...settings }: FieldValues,
  origins: Record<FieldKey, SettingOrigin>,
): Settings {
  const unknown = unknownProvider(settings.fallbacks, settings.providers);
  if (unknown !== undefined) throw new ConfigError(`${origins.fallbacks.name}: ${unknown}`);
  const incomplete = oidcFault(settings);
  if (incomplete !== undefined) throw new ConfigError(incomplete);
  if (STRENGTH[origins.mmproj.source] < STRENGTH[origins.models.source]) return settings;
  const models = attachProjectors(settings.models, mmproj);
  if (typeof models === "string") throw new ConfigError(`${origins.mmproj.name}: ${models}`);
  return { ...settings, models };
}

/** The places where a value may stand, strongest first, and the mode for the default. */
interface Candidates {
  flag: string | boolean | string[] | undefined;
  env: Record<string, string | undefined>;
  /** Relative paths of flags and variables start here. */
  cwd: string;
  file?: ConfigFile;
  mode: Mode;
}

interface ResolvedValue<T> {
  value: T;
  origin: SettingOrigin;
}

function resolveField<T>(field: Field<T>, candidates: Candidates): ResolvedValue<T> {
  const { flag, env, cwd, file, mode } = candidates;
  if (flag !== undefined) {
    const name = flagName(field);
    return parseValue(field, flag, { source: "flag", name, separator: " ", folder: cwd });
  }
  for (const name of [envName(field), ...(field.aliases ?? [])]) {
    const variable = env[name];
    if (variable === undefined || variable === "") continue;
    return parseValue(field, variable, { source: "env", name, separator: "=", folder: cwd });
  }
  const entry = file?.entries[field.name];
  if (file !== undefined && entry !== undefined) {
    const name = `${file.path}: ${field.name}`;
    const folder = dirname(file.path);
    const shown = `${file.placeOf(field.name)}: ${field.name}`;
    return parseValue(field, entry, { source: "file", name, shown, separator: " = ", folder });
  }
  return { value: field.fallback(mode), origin: { source: "default", name: "default" } };
}

interface ValuePlace extends SettingOrigin {
  /** The name in messages. Default: `name`. */
  shown?: string;
  /** Stands between the name and the value in messages. */
  separator: string;
  /** Relative paths start here. */
  folder: string;
}

function parseValue<T>(field: Field<T>, raw: unknown, place: ValuePlace): ResolvedValue<T> {
  const result = field.schema(place.folder).safeParse(raw);
  const { source, name, shown: title = name } = place;
  if (result.success) return { value: result.data, origin: { source, name } };
  const issue = result.error.issues[0];
  const params: Record<string, unknown> = issue?.code === "custom" ? (issue.params ?? {}) : {};
  const isHidden = typeof raw === "boolean" || field.secret;
  const shown = isHidden ? "" : place.separator + maskedText(params.item ?? raw, source);
  throw new ConfigError(`${title}${shown}: ${issue?.message ?? "is wrong"}`);
}

/** A wrong value for a message: at most 80 characters, and without keys. */
function maskedText(value: unknown, source: SettingSource): string {
  const hidden = (key: string, item: unknown) => (key === "api_key" ? "***" : item);
  const isPlain = typeof value === "string" && source !== "file";
  const text = maskUrl(isPlain ? value : (JSON.stringify(value, hidden) ?? String(value)));
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
