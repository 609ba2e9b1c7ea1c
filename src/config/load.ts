import { dirname, join } from "node:path";
import { maskUrl } from "./endpoint.ts";
import { ConfigError } from "./error.ts";
import {
  envName,
  FIELD_KEYS,
  FIELDS,
  type Field,
  type FieldKey,
  flagName,
  type Inputs,
} from "./fields.ts";
import { readConfigFile } from "./file.ts";
import { attachProjectors } from "./model.ts";
import { unknownProvider } from "./provider.ts";
import type { Mode, Settings } from "./settings.ts";

/** Where a setting came from, strongest first. */
export type Source = "flag" | "env" | "file" | "default";

export interface Origin {
  source: Source;
  /** The flag, variable or file itself, e.g. `LLMLB_PORT`; `default`. */
  name: string;
}

/** Values given as flags, by setting; lists for those that may be repeated. */
export type Flags = { [K in FieldKey]?: string | boolean | string[] };

export interface ConfigSources {
  flags: Flags;
  env: Record<string, string | undefined>;
  /** Relative paths of flags and variables start here. Default: the working folder. */
  cwd?: string;
}

export interface Loaded {
  settings: Settings;
  origins: Record<FieldKey, Origin>;
  /** config.json, whether it exists or not. */
  file: string;
  /** What the operator should change, a sentence each. */
  warnings: string[];
}

const STRENGTH: Record<Source, number> = { flag: 3, env: 2, file: 1, default: 0 };

/**
 * The effective settings: flags before environment before `<home>/config.json` before defaults.
 * Throws `ConfigError` for the first value that is wrong.
 */
export function loadSettings({ flags, env, cwd = process.cwd() }: ConfigSources): Loaded {
  const home = pick(FIELDS.home, { value: flags.home, env, cwd, mode: "standalone" });
  const file = join(home.value, "config.json");
  const entries = readConfigFile(file);
  const given = { env, cwd, entries, file };
  const mode = pick(FIELDS.mode, { ...given, value: flags.mode, mode: "standalone" });

  const origins: Partial<Record<FieldKey, Origin>> = {};
  const read = <K extends FieldKey>(key: K): Inputs[K] => {
    const field: Field<Inputs[K]> = FIELDS[key];
    const picked = pick(field, { ...given, value: flags[key], mode: mode.value });
    origins[key] = picked.origin;
    return picked.value;
  };
  const inputs = Object.fromEntries(FIELD_KEYS.map((key) => [key, read(key)])) as unknown as Inputs;
  const complete = origins as Record<FieldKey, Origin>;
  const warnings = FIELD_KEYS.flatMap((key) => deprecation(FIELDS[key], complete[key]));
  return { settings: fold(inputs, complete), origins: complete, file, warnings };
}

function deprecation(field: Pick<Field, "name" | "deprecated">, { name }: Origin): string[] {
  if (field.deprecated?.includes(name) !== true) return [];
  return [`${name} is deprecated: use LLMLB_${field.name.toUpperCase()}.`];
}

/**
 * Joins the projectors with their models; those from a weaker source than these are unused. Throws
 * `ConfigError` for settings that do not fit each other.
 */
function fold({ mmproj, ...inputs }: Inputs, origins: Record<FieldKey, Origin>): Settings {
  const unknown = unknownProvider(inputs.fallbacks, inputs.providers);
  if (unknown !== undefined) throw new ConfigError(`${origins.fallbacks.name}: ${unknown}`);
  if (STRENGTH[origins.mmproj.source] < STRENGTH[origins.models.source]) return inputs;
  const models = attachProjectors(inputs.models, mmproj);
  if (typeof models === "string") throw new ConfigError(`${origins.mmproj.name}: ${models}`);
  return { ...inputs, models };
}

interface Given {
  /** The flag's value. */
  value: string | boolean | string[] | undefined;
  env: Record<string, string | undefined>;
  cwd: string;
  /** What config.json holds, and its path. */
  entries?: Record<string, unknown>;
  file?: string;
  mode: Mode;
}

function pick<T>(field: Field<T>, given: Given): { value: T; origin: Origin } {
  const { value, env, cwd, entries = {}, file = "", mode } = given;
  if (value !== undefined) {
    const name = flagName(field);
    return read(field, value, { source: "flag", name, separator: " ", folder: cwd });
  }
  for (const name of [envName(field), ...(field.aliases ?? [])]) {
    const variable = env[name];
    if (variable === undefined || variable === "") continue;
    return read(field, variable, { source: "env", name, separator: "=", folder: cwd });
  }
  const entry = entries[field.name];
  if (entry !== undefined) {
    const place = { source: "file", name: `${file}: ${field.name}`, folder: dirname(file) };
    return read(field, entry, { ...place, source: "file", separator: " = " });
  }
  return { value: field.fallback(mode), origin: { source: "default", name: "default" } };
}

interface Place extends Origin {
  /** Stands between the name and the value in messages. */
  separator: string;
  /** Relative paths start here. */
  folder: string;
}

function read<T>(field: Field<T>, given: unknown, place: Place): { value: T; origin: Origin } {
  const result = field.schema(place.folder).safeParse(given);
  const { source, name } = place;
  if (result.success) return { value: result.data, origin: { source, name } };
  const issue = result.error.issues[0];
  const params: Record<string, unknown> = issue?.code === "custom" ? (issue.params ?? {}) : {};
  const isHidden = typeof given === "boolean" || field.secret;
  const shown = isHidden ? "" : place.separator + show(params.item ?? given, source);
  throw new ConfigError(`${name}${shown}: ${issue?.message ?? "is wrong"}`);
}

/** A wrong value for a message: short and without keys. */
function show(value: unknown, source: Source): string {
  const hidden = (key: string, item: unknown) => (key === "api_key" ? "***" : item);
  const plain = typeof value === "string" && source !== "file";
  const text = maskUrl(plain ? value : (JSON.stringify(value, hidden) ?? String(value)));
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
