import type { ZodType } from "zod";
import type { Mode } from "../mode.ts";

/** One setting: its name in the three places it can come from, what it holds, its default. */
export interface Field<T = unknown> {
  /** Key in config.json; upper-cased after `LLMLB_` the environment variable. */
  name: string;
  /** Flags as the help shows them, e.g. `-p, --port <port>`; absent: the values behind `--`. */
  flags?: string;
  /** Further environment variables, used where the field's own is not set. */
  aliases?: readonly string[];
  /** Those of the aliases whose use gives a warning. */
  deprecated?: readonly string[];
  /** The value is never printed. */
  secret?: true;
  /** Heading in the help. */
  group: "Server" | "Joining" | "Models" | "Endpoints" | "Clouds" | "Limits" | "Files and logs";
  /** One line, without a full stop. */
  help: string;
  /** Parses text or a value of config.json; relative paths start at `folder`. */
  schema(folder: string): ZodType<T>;
  /** The default of a mode. */
  fallback(mode: Mode): T;
  /** The default as the help shows it, where the value itself is not readable. */
  fallbackText?: string;
  /** The unit of a number. */
  unit?: "ms" | "bytes";
  /** The flag may be given several times. */
  repeatable?: true;
  /** A change takes effect while it runs, at SIGHUP; of all others after a restart. */
  reload?: true;
  /** The setting cannot stand in config.json. */
  notInFile?: true;
}

/** A field for each setting of a group. */
export type FieldsOf<Group> = { [K in keyof Group]: Field<Group[K]> };

/** The environment variable of a field, e.g. `LLMLB_LOG_LEVEL`. */
export function envName(field: Pick<Field, "name">): string {
  return `LLMLB_${field.name.toUpperCase()}`;
}

/** The long flag of a field, e.g. `--log-level`; `--` for values behind that. */
export function flagName(field: Pick<Field, "flags">): string {
  return /--[a-z-]+/.exec(field.flags ?? "")?.[0] ?? "--";
}
