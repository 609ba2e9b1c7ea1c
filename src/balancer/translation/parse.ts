import type { ZodError, ZodType } from "zod";
import { ApiError } from "../../wire/error.ts";

/**
 * Reads a client's request, or the part of it that stands at `at`, such as `input.3`. Throws
 * `invalid_request` that names the field by its whole path.
 */
export function readRequest<T>(schema: ZodType<T>, value: unknown, at = ""): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, reason } = deepest(result.error.issues);
  const param = [...(at === "" ? [] : [at]), ...path.map(String)].join(".");
  const where = param === "" ? "the body" : `\`${param}\``;
  const message = `The request is invalid: ${where} is wrong: ${reason}.`;
  throw new ApiError("invalid_request", message, param === "" ? {} : { param });
}

/** Reads what an endpoint answered. Throws `upstream` if that makes no sense. */
export function readAnswer<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, reason } = deepest(result.error.issues);
  throw nonsense(`\`${path.join(".")}\` is wrong: ${reason}`, result.error);
}

/** A 502 for an answer of an endpoint that makes no sense. */
export function nonsense(reason: string, cause?: unknown): ApiError {
  const message = `The endpoint's answer could not be read: ${reason}. Try again; if it stays, see \
what the endpoint answers when it is asked directly.`;
  return new ApiError("upstream", message, { code: "invalid_answer", cause });
}

interface Fault {
  path: PropertyKey[];
  reason: string;
}

/** Of alternatives that all failed, what failed deepest: that one was meant. */
function deepest(issues: ZodError["issues"]): Fault {
  const issue = issues[0];
  if (issue === undefined) return { path: [], reason: "it has another form" };
  let best: Fault = { path: [], reason: issue.message.replace(/^Invalid input: /, "") };
  if (issue.code === "invalid_union") {
    for (const alternative of issue.errors) {
      const fault = deepest(alternative);
      if (fault.path.length > best.path.length) best = fault;
    }
  }
  return { path: [...issue.path, ...best.path], reason: best.reason };
}
