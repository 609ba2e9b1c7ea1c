import { envName, type Field } from "./fields/field.ts";
import { FIELD_KEYS, fieldOf } from "./fields.ts";
import { formatQuantity } from "./units.ts";
import { type Shape, shapeOf } from "./values/schema.ts";

/**
 * The JSON schema of config.json, for editors: every setting with its meaning, made of the fields
 * that read it. Draft 7, which editors know best.
 */
export function configSchema(): Shape {
  const fields = FIELD_KEYS.map(fieldOf).filter(({ notInFile }) => notInFile !== true);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "config.json of llmlb",
    type: "object",
    properties: {
      $schema: { type: "string" },
      ...Object.fromEntries(fields.map((field) => [field.name, propertyOf(field)])),
    },
    additionalProperties: false,
    // For editors that check whether comments and trailing commas are meant.
    allowComments: true,
    allowTrailingCommas: true,
  };
}

function propertyOf(field: Field): Shape {
  const reload = field.reload === true ? "A change takes effect at SIGHUP." : "";
  const variable = `Variable: ${envName(field)}.`;
  const lines = [`${field.help}.`, defaultText(field), variable, reload];
  const description = lines.filter((line) => line !== "").join("\n");
  return { description, ...shapeOf(field.schema("/")) };
}

function defaultText({ fallback, fallbackText, unit }: Field): string {
  const value = fallback("standalone");
  if (fallbackText !== undefined) return `Default: ${fallbackText}.`;
  if (value === null || Array.isArray(value)) return "";
  return `Default: ${formatQuantity(value, unit)}.`;
}
