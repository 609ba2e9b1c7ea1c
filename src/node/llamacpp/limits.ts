import { ApiError } from "../../wire/error.ts";
import { measureGrammar } from "./grammarsize.ts";
import { isObject, partsOf, type Schema } from "./schemaparts.ts";

/*
 * llama.cpp works on some fields for minutes, without a look at whether the client is still there,
 * or ends with its stack, if they are large enough. These limits are far above what requests need.
 */

/** Most entries of lists (and objects) of the request. */
const ENTRIES_MAX = Object.entries({
  dry_sequence_breakers: 32,
  logit_bias: 10_000,
  stop: 256,
  stop_sequences: 256,
  samplers: 64,
  preserved_tokens: 1024,
  grammar_triggers: 64,
  response_fields: 256,
  tools: 512,
  functions: 512,
  lora: 64,
});

/** Most characters of a text in one of those lists. */
const ENTRY_CHARACTERS_MAX = 1024;
const TEXT_LISTS = ["dry_sequence_breakers", "stop", "stop_sequences", "samplers"];

/** Largest numbers. */
const NUMBER_MAX = Object.entries({ n: 128, n_cmpl: 128, n_probs: 100, logprobs: 100 });

const GRAMMAR = { characters: 65_536, depth: 100, rules: 2000, repetitions: 20_000, optional: 64 };
const SCHEMA = { depth: 64, parts: 5000, alternatives: 1000, optional: 500, characters: 131_072 };

/** The schemas of all tools together. */
const ALL_SCHEMAS = { parts: 20_000, alternatives: 10_000 };

/** Keywords with a number of repetitions, which a grammar spells out. */
const REPETITIONS = ["minLength", "minItems", "maxItems"];
const REPETITIONS_MAX = 2000;

/**
 * Throws 400 for a request whose grammar, schemas or lists are larger than an engine can take. The
 * error names the field and the limit. `body` is what the engine would get.
 */
export function requireLimits(body: Record<string, unknown>): void {
  for (const [field, limit] of ENTRIES_MAX) {
    const value = body[field];
    if (value === undefined) continue;
    const entries = isObject(value) ? Object.keys(value) : Array.isArray(value) ? value : [];
    if (entries.length > limit) throw tooLarge(field, "entries", entries.length, limit);
  }
  for (const field of TEXT_LISTS) requireShortTexts(field, body[field]);
  for (const [field, limit] of NUMBER_MAX) {
    const value = body[field];
    if (typeof value === "number" && value > limit) throw tooLarge(field, "", value, limit);
  }
  if (typeof body.grammar === "string") requireSmallGrammar(body.grammar);
  requireWordTriggers(body.grammar_triggers);
  const all = { parts: 0, alternatives: 0 };
  for (const [field, schema] of schemasOf(body)) {
    const { parts, alternatives } = requireSmallSchema(field, schema);
    all.parts += parts;
    all.alternatives += alternatives;
    for (const [what, limit] of Object.entries(ALL_SCHEMAS)) {
      const size = all[what as keyof typeof all];
      if (size > limit) throw tooLarge("tools", SCHEMA_WORDS[what] ?? what, size, limit);
    }
  }
}

/** The schemas of a request with the fields that they stand in. */
function schemasOf(body: Record<string, unknown>): [field: string, schema: Schema][] {
  const found: [string, unknown][] = [["json_schema", body.json_schema]];
  const { response_format: format, tools } = body;
  if (isObject(format)) {
    found.push(["response_format.schema", format.schema]);
    const inner = format.json_schema;
    if (isObject(inner)) found.push(["response_format.json_schema.schema", inner.schema]);
  }
  for (const [index, tool] of (Array.isArray(tools) ? tools : []).entries()) {
    const inner = isObject(tool) ? tool.function : undefined;
    if (isObject(inner)) found.push([`tools.${index}.function.parameters`, inner.parameters]);
  }
  return found.filter((entry): entry is [string, Schema] => isObject(entry[1]));
}

function requireShortTexts(field: string, value: unknown): void {
  if (value === undefined) return;
  for (const text of Array.isArray(value) ? value : [value]) {
    if (typeof text !== "string" || text.length <= ENTRY_CHARACTERS_MAX) continue;
    throw tooLarge(field, "characters in one text", text.length, ENTRY_CHARACTERS_MAX);
  }
}

function requireSmallGrammar(grammar: string): void {
  // A longer one is not even looked at.
  const sizes =
    grammar.length > GRAMMAR.characters ? { characters: grammar.length } : measureGrammar(grammar);
  for (const [what, size] of Object.entries(sizes)) {
    const limit = GRAMMAR[what as keyof typeof GRAMMAR];
    if (size > limit) throw tooLarge("grammar", GRAMMAR_WORDS[what] ?? what, size, limit);
  }
}

/** A pattern is matched against all text so far with a recursion that a long text overflows. */
function requireWordTriggers(triggers: unknown): void {
  for (const trigger of Array.isArray(triggers) ? triggers : []) {
    const type: unknown = isObject(trigger) ? trigger.type : undefined;
    if (type === undefined || type === 0 || type === 1) continue;
    const message =
      "The request is invalid: `grammar_triggers` may have tokens and words only, no \
patterns.";
    throw new ApiError("invalid_request", message, { param: "grammar_triggers" });
  }
}

function requireSmallSchema(field: string, schema: Schema) {
  const sizes = { depth: 0, parts: 0, alternatives: 0, optional: 0, characters: 0 };
  const level: Schema[] = [schema];
  for (let parts = level; parts.length > 0; parts = parts.flatMap(partsOf)) {
    sizes.depth += 1;
    sizes.parts += parts.length;
    for (const part of parts) {
      sizes.alternatives += alternativesOf(part);
      sizes.characters += charactersOf(part);
      sizes.optional = Math.max(sizes.optional, optionalOf(part));
      for (const keyword of REPETITIONS) {
        const count = part[keyword];
        if (typeof count !== "number" || count <= REPETITIONS_MAX) continue;
        throw tooLarge(`${field}: ${keyword}`, "repetitions", count, REPETITIONS_MAX);
      }
    }
    for (const [what, size] of Object.entries(sizes)) {
      const limit = SCHEMA[what as keyof typeof SCHEMA];
      if (size > limit) throw tooLarge(field, SCHEMA_WORDS[what] ?? what, size, limit);
    }
  }
  return sizes;
}

function alternativesOf(schema: Schema): number {
  const lists = [schema.enum, schema.anyOf, schema.oneOf, schema.type];
  return lists.reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
}

/** Properties that may be left out: the grammar has a rule for each way to go on behind each. */
function optionalOf({ properties, required }: Schema): number {
  if (!isObject(properties)) return 0;
  return Object.keys(properties).length - (Array.isArray(required) ? required.length : 0);
}

/** Characters of what becomes part of the grammar, but for the schemas inside. */
function charactersOf({ pattern, properties, ...schema }: Schema): number {
  const values = [...(Array.isArray(schema.enum) ? schema.enum : []), schema.const, pattern];
  const texts = values.map((value) => (typeof value === "string" ? value.length : 8));
  const names = isObject(properties) ? Object.keys(properties) : [];
  return [...texts, ...names.map((name) => name.length)].reduce((sum, size) => sum + size, 0);
}

const SCHEMA_WORDS: Record<string, string> = {
  depth: "levels of nesting",
  parts: "schemas in it",
  alternatives: "values and alternatives in all",
  optional: "optional properties of one object",
};

const GRAMMAR_WORDS: Record<string, string> = {
  depth: "levels of nesting",
  repetitions: "repetitions in all",
  optional: "optional parts in a row",
};

function tooLarge(field: string, what: string, size: number, limit: number): ApiError {
  const noun = what === "" ? "" : ` ${what}`;
  const message = `The request is invalid: \`${field}\` has more${noun} than an engine takes: \
${size}, at most ${limit} are allowed.`;
  return new ApiError("invalid_request", message, { code: "limit_exceeded", param: field });
}
