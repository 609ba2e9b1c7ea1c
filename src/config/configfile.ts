import { readFileSync } from "node:fs";
import { getNodeValue, type Node, type ParseError, parseTree } from "jsonc-parser";
import { closestWord } from "../lib/closestword.ts";
import { ConfigError } from "./error.ts";
import { flagName } from "./fields/field.ts";
import { FIELD_KEYS, fieldOf } from "./fields.ts";
import { faultText } from "./jsoncfault.ts";

/** What config.json holds. */
export interface ConfigFile {
  path: string;
  entries: Record<string, unknown>;
  /** Where the value of a key stands, for messages: `config.json:3:11`. */
  placeOf(key: string): string;
}

/** By it an editor knows the schema of the file. */
const SCHEMA_KEY = "$schema";

/**
 * Reads config.json: an object in JSON that may have comments and commas behind the last items;
 * empty if there is no such file. Throws `ConfigError`, with line and column, if it cannot be read,
 * is no such object, or has a key that is no setting, or the same one twice.
 */
export function readConfigFile(path: string): ConfigFile {
  const text = readText(path) ?? "{}";
  const placeAt = (offset: number) => `${path}:${lineAndColumn(text, offset)}`;
  const root = parse(text, path, placeAt);
  const nodes = new Map<string, Node>();
  for (const { children: [key, value] = [] } of root.children ?? []) {
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    const place = placeAt(key.offset);
    const before = nodes.get(name);
    if (before !== undefined) {
      throw new ConfigError(
        `${place}: "${name}" stands twice, before in ${placeAt(before.offset)}`,
      );
    }
    if (name !== SCHEMA_KEY) checkKey(name, place);
    nodes.set(name, value);
  }
  nodes.delete(SCHEMA_KEY);
  const entries = Object.fromEntries([...nodes].map(([name, node]) => [name, getNodeValue(node)]));
  return { path, entries, placeOf: (key) => placeAt(nodes.get(key)?.offset ?? 0) };
}

function parse(text: string, path: string, placeAt: (offset: number) => string): Node {
  const errors: ParseError[] = [];
  const root = treeOf(text, errors, path);
  const [first] = errors;
  if (root === undefined || (first === undefined && root.type !== "object")) {
    throw new ConfigError(`${path}: must hold a JSON object such as {"port": 8080}`);
  }
  if (first === undefined) return root;
  const reason = faultText(first.error, text.slice(first.offset, first.offset + first.length));
  throw new ConfigError(`${placeAt(first.offset)}: is not valid JSON: ${reason}`);
}

function treeOf(text: string, errors: ParseError[], path: string): Node | undefined {
  try {
    return parseTree(text, errors, { allowTrailingComma: true });
  } catch (cause) {
    throw new ConfigError(`${path}: is nested too deeply to be read`, cause);
  }
}

/** Counted from 1; columns in characters. */
function lineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    const reason = code === "EISDIR" ? "it is a folder" : String(code);
    throw new ConfigError(`${path}: cannot be read: ${reason}`, cause);
  }
}

function checkKey(key: string, place: string): void {
  const fields = FIELD_KEYS.map(fieldOf);
  const field = fields.find(({ name }) => name === key);
  if (field?.notInFile === true) {
    throw new ConfigError(`${place}: ${key}: cannot be set in this file, use ${flagName(field)}`);
  }
  if (field !== undefined) return;
  const names = fields.filter(({ notInFile }) => notInFile !== true).map(({ name }) => name);
  const similar = closestWord(key.replaceAll("-", "_"), names);
  const advice =
    similar === undefined ? `the keys are ${names.join(", ")}` : `did you mean "${similar}"?`;
  throw new ConfigError(`${place}: unknown key "${key}": ${advice}`);
}
