import { closestWord } from "../lib/closestword.ts";
import { envName, type Field, flagName } from "./fields/field.ts";
import { FIELD_KEYS, fieldOf } from "./fields.ts";

const PREFIX = "LLMLB_";

/** Variables that are no settings: of commands for a running llmlb. */
const OF_COMMANDS = ["URL", "API_KEY"];
/** Of whoever builds it. */
const OTHERS = ["BIN", "CACHE", "LLAMA_SERVER", "SMOKE_PORT", "SUCCEEDS"];

/**
 * A sentence for each variable that looks like a setting and is none: a setting that was misspelled
 * would be left at its default without a word.
 */
export function unknownVariables(env: Record<string, string | undefined>): string[] {
  const fields = FIELD_KEYS.map(fieldOf);
  const known = fields.flatMap((field) => [envName(field), ...(field.aliases ?? [])]);
  const others = [...OF_COMMANDS, ...OTHERS].map((name) => PREFIX + name);
  const all = new Set([...known, ...others]);
  const unknown = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !all.has(name));
  return unknown.sort().map((name) => {
    const meant = meantBy(name, fields);
    const advice = meant === undefined ? "llmlb --help lists them" : `did you mean ${meant}?`;
    return `${name} is set, but no setting has that name: ${advice}`;
  });
}

/** The variable of the setting whose flag has this name, such as `--model`; else the closest. */
function meantBy(name: string, fields: Field[]): string | undefined {
  const word = name.slice(PREFIX.length);
  const flag = `--${word.toLowerCase().replaceAll("_", "-")}`;
  const field = fields.find((one) => flagName(one) === flag);
  if (field !== undefined) return envName(field);
  const names = fields.map((one) => envName(one).slice(PREFIX.length));
  const close = closestWord(word, [...names, ...OF_COMMANDS]);
  return close && PREFIX + close;
}
