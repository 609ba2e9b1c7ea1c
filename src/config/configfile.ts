import { readFileSync } from "node:fs";
import { closestWord } from "../lib/closestword.ts";
import { ConfigError } from "./error.ts";
import { flagName } from "./fields/field.ts";
import { FIELD_KEYS, fieldOf } from "./fields.ts";

/**
 * The object in config.json; empty if there is no such file. Throws `ConfigError` if it cannot be
 * read, is not a JSON object, or has a key that is no setting.
 */
export function readConfigFile(path: string): Record<string, unknown> {
  const text = readText(path);
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^JSON Parse error: /, "") : "";
    throw new ConfigError(`${path}: is not valid JSON: ${reason}`, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(`${path}: must hold a JSON object such as {"port": 8080}`);
  }
  for (const key of Object.keys(value)) checkKey(key, path);
  return { ...value };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ConfigError(`${path}: cannot be read: ${String(code)}`, cause);
  }
}

function checkKey(key: string, path: string): void {
  const fields = FIELD_KEYS.map(fieldOf);
  const field = fields.find(({ name }) => name === key);
  if (field?.notInFile === true) {
    throw new ConfigError(`${path}: ${key}: cannot be set in this file, use ${flagName(field)}`);
  }
  if (field !== undefined) return;
  const names = fields.filter(({ notInFile }) => notInFile !== true).map(({ name }) => name);
  const similar = closestWord(key.replaceAll("-", "_"), names);
  const advice =
    similar === undefined ? `the keys are ${names.join(", ")}` : `did you mean "${similar}"?`;
  throw new ConfigError(`${path}: unknown key "${key}": ${advice}`);
}
