import type { Dialect } from "../../wire/error.ts";

type Json = Record<string, unknown>;

interface ErrorCases {
  dialect: Dialect;
  isPublic: boolean;
  hasBody: boolean;
  hasQuery: boolean;
  hasPath: boolean;
}

const TEXT = { type: "string" };

/** The shape of an error in an API; `errorBody` writes it. */
const SHAPES: Record<"openai" | "anthropic" | "ollama", Json> = {
  openai: {
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          ...{ message: TEXT, type: TEXT, code: TEXT },
          param: { type: ["string", "null"] },
        },
        required: ["message", "type", "code", "param"],
      },
    },
    required: ["error"],
  },
  anthropic: {
    type: "object",
    properties: {
      type: { const: "error" },
      error: { type: "object", properties: { type: TEXT, message: TEXT } },
      request_id: TEXT,
    },
    required: ["type", "error"],
  },
  ollama: { type: "object", properties: { error: TEXT }, required: ["error"] },
};

/** The errors that a route may answer with, in the shape of its API. */
export function errorResponses(cases: ErrorCases): Json {
  const { dialect, isPublic, hasBody, hasQuery, hasPath } = cases;
  const shape = SHAPES[dialect === "responses" ? "openai" : dialect];
  const error = (description: string) => ({
    description,
    content: { "application/json": { schema: shape } },
  });
  return {
    ...(hasBody || hasQuery ? { 400: error("Something in the request is wrong: see param") } : {}),
    ...(isPublic ? {} : { 401: error("No key, or none that counts") }),
    ...(isPublic ? {} : { 403: error("The key or user may not do this") }),
    ...(hasPath ? { 404: error("There is no such thing") } : {}),
    ...(hasBody ? { 413: error("The body is too large") } : {}),
    ...(hasBody ? { 415: error("The body is of another type") } : {}),
    default: error("Any other error: status, type and code tell which"),
  };
}
