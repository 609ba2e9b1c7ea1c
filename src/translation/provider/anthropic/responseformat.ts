import type { ChatRequest } from "../../../wire/chat.ts";
import { invalidField } from "../../errors.ts";

/**
 * Anthropic's output format for a `response_format`; undefined for text. Throws `invalid_request`
 * for JSON without a schema.
 */
export function anthropicOutputFormat(request: ChatRequest): object | undefined {
  const { response_format: format } = request;
  switch (format?.type) {
    case undefined:
    case "text":
      return undefined;
    case "json_object": {
      const instead = "Anthropic's API wants to know the form, use `json_schema`";
      throw invalidField("response_format.type", `is "json_object": ${instead}`);
    }
    case "json_schema": {
      const { schema } = format.json_schema;
      if (schema === undefined) {
        throw invalidField(
          "response_format.json_schema.schema",
          "is missing: say what to answer in",
        );
      }
      return { type: "json_schema", schema };
    }
  }
}
