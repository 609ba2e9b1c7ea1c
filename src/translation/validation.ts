import type { ZodError, ZodType } from "zod";
import { ApiError } from "../wire/error.ts";

/**
 * Reads a client's request, or the part of it that stands at `at`, such as `input.3`. Throws
 * `invalid_request` that names the field that is wrong.
 */
export function parseRequest<T>(schema: ZodType<T>, request: unknown, at = ""): T {
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  const { param, reason } = clearest(result.error.issues, request);
  throw invalidField([at, param].filter((part) => part !== "").join("."), reason);
}

/** Reads an endpoint's answer. Throws `upstream` that says where it makes no sense. */
export function parseAnswer<T>(schema: ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const { param, reason } = clearest(result.error.issues, answer);
  throw unreadableAnswer(param === "" ? `it ${reason}` : `\`${param}\` ${reason}`, result.error);
}

/** A 400 for a field that is wrong, or that the endpoint's API has no words for. */
export function invalidField(param: string, reason: string): ApiError {
  const place = param === "" ? "the body" : `\`${param}\``;
  return new ApiError("invalid_request", `The request is invalid: ${place} ${reason}.`, {
    ...(param === "" ? {} : { param }),
  });
}

/** A 502 for an answer of an endpoint that cannot be understood. */
export function unreadableAnswer(reason: string, cause?: unknown): ApiError {
  const message = `The endpoint's answer could not be read: ${reason}. Send the request again.`;
  return new ApiError("upstream", message, { code: "invalid_answer", cause });
}

/** A 422 for a whole call whose arguments, as the model wrote them, are no object. */
export function unreadableArguments(name: string): ApiError {
  const message = `The model's call of \`${name.slice(0, 200)}\` could not be read: its arguments \
are no JSON object. Send the request again.`;
  return new ApiError("tool_call_failed", message);
}

/** What is left of fields once those that say nothing are gone. */
export type Compact<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** The fields of an object that say something: neither undefined nor null. */
export function compact<T extends object>(fields: T): Compact<T> {
  const entries = Object.entries(fields).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as Compact<T>;
}

type Issue = ZodError["issues"][number];

interface Fault {
  param: string;
  reason: string;
}

/** Of several ways to read a value, the one that went furthest says best what is wrong. */
function clearest(issues: readonly Issue[], root: unknown, at: PropertyKey[] = []): Fault {
  const issue = issues[0];
  if (issue === undefined) return { param: at.join("."), reason: "is invalid" };
  const path = [...at, ...issue.path];
  if (issue.code === "invalid_union") {
    const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
    if (deepest !== undefined && depth(deepest) > 0) return clearest(deepest, root, path);
    return { param: path.join("."), reason: unknownWord(valueAt(root, path)) };
  }
  const reason = issue.message.replace(/^Invalid input: |^Invalid option: /, "");
  return { param: path.join("."), reason: `is invalid: ${reason}` };
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

function unknownWord(value: unknown): string {
  if (value === undefined) return "is missing";
  if (typeof value !== "string") return "is invalid";
  return `is ${JSON.stringify(value.slice(0, 80))}, which this model's endpoint cannot be asked`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }, root);
}
