import { ApiError } from "../../wire/error.ts";
import { grammarPattern } from "./pattern/grammarpattern.ts";
import { isObject, mapSchemas, type Schema } from "./schemaparts.ts";

/**
 * Writes the patterns of a request's schemas in the words of which llama.cpp makes a grammar: it
 * would take others for "any text". Throws 400 for a pattern that no grammar can express, in a
 * format for the answer and in a strict tool; from other tools it is removed, as the answer would
 * be without it. Returns the same object if there is nothing to change.
 */
export function withEnforcedPatterns(body: Record<string, unknown>): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  const { json_schema: schema, response_format: format, tools } = body;
  if (isObject(schema)) changed.json_schema = enforced(schema, "json_schema");
  if (isObject(format)) changed.response_format = enforcedFormat(format);
  if (Array.isArray(tools)) changed.tools = same(tools, tools.map(enforcedTool));
  const isSame = Object.entries(changed).every(([field, value]) => body[field] === value);
  return isSame ? body : { ...body, ...changed };
}

function enforcedFormat(format: Record<string, unknown>): Record<string, unknown> {
  const { schema, json_schema: inner } = format;
  const param = "response_format";
  if (isObject(inner) && isObject(inner.schema)) {
    const changed = enforced(inner.schema, param);
    return changed === inner.schema
      ? format
      : { ...format, json_schema: { ...inner, schema: changed } };
  }
  if (!isObject(schema)) return format;
  const changed = enforced(schema, param);
  return changed === schema ? format : { ...format, schema: changed };
}

function enforcedTool(tool: unknown, index: number): unknown {
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  const { parameters, strict } = tool.function;
  if (!isObject(parameters)) return tool;
  const param = strict === true ? `tools.${index}.function.parameters` : undefined;
  const changed = enforced(parameters, param);
  return changed === parameters
    ? tool
    : { ...tool, function: { ...tool.function, parameters: changed } };
}

/** `param`: the field to name in the error; undefined: such patterns are removed. */
function enforced(schema: Schema, param: string | undefined): Schema {
  return mapSchemas(schema, (one) => {
    const { pattern, ...others } = one;
    if (typeof pattern !== "string") return one;
    const written = grammarPattern(pattern);
    if ("pattern" in written) {
      return written.pattern === pattern ? one : { ...one, pattern: written.pattern };
    }
    if (param === undefined) return others;
    const shown = pattern.length > 100 ? `${pattern.slice(0, 100)}…` : pattern;
    const message = `The request is invalid: the pattern \`${shown}\` in \`${param}\` cannot be \
enforced: ${written.problem}.`;
    throw new ApiError("invalid_request", message, { code: "unsupported_pattern", param });
  });
}

function same(list: unknown[], changed: unknown[]): unknown[] {
  return changed.every((value, index) => value === list[index]) ? list : changed;
}
