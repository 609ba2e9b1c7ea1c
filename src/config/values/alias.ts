import type { ZodType } from "zod";
import { listOf, type Shape, TEXT_SHAPE } from "./schema.ts";

/** Names that mean the same model. */
export interface AliasSetting {
  name: string;
  /** What endpoints call the model; it is listed by the first. */
  models: string[];
}

const ITEM: Shape = {
  anyOf: [
    TEXT_SHAPE,
    {
      type: "object",
      properties: { name: TEXT_SHAPE, models: { type: "array", items: TEXT_SHAPE, minItems: 1 } },
      required: ["name", "models"],
      additionalProperties: false,
    },
  ],
};

/** A list of aliases: `name=model` or `{name, models}` each. */
export function aliasList(): ZodType<AliasSetting[]> {
  return listOf(readAlias, aliasConflict, ITEM);
}

/** Reads `name=model[=model…]` or `{name, models}`. Returns a message instead if it is wrong. */
function readAlias(value: unknown): AliasSetting | string {
  const alias = typeof value === "string" ? fromText(value) : fromObject(value);
  const names = alias === undefined ? [] : [alias.name, ...alias.models];
  if (alias === undefined || alias.models.length === 0 || names.includes("")) {
    return "must be name=model, such as fast=llama3:8b";
  }
  if (new Set(names).size < names.length) return `says "${alias.name}" twice of the same name`;
  return alias;
}

function fromText(text: string): AliasSetting | undefined {
  const [name = "", ...models] = text.split("=").map((one) => one.trim());
  return { name, models };
}

function fromObject(value: unknown): AliasSetting | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { name, models, ...more } = value as Record<string, unknown>;
  if (typeof name !== "string" || !Array.isArray(models)) return undefined;
  if (Object.keys(more).length > 0 || !models.every((one) => typeof one === "string")) {
    return undefined;
  }
  return { name, models };
}

/** A message if two aliases have the same name. */
function aliasConflict(aliases: AliasSetting[]): string | undefined {
  const names = aliases.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return undefined;
  return `there are two aliases "${twice}": write all of its names in one`;
}
