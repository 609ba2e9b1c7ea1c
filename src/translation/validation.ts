import type { ZodError, ZodType } from "zod";
import { readExactJson } from "../lib/json.ts";
import { invalidField, unreadableAnswer } from "./errors.ts";

/**
 * Parses a client's request, or the part of it at the path `at`, such as `input.3`. Throws
 * `invalid_request`, which names the field that is wrong.
 */
export function parseRequest<T>(schema: ZodType<T>, request: unknown, at = ""): T {
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  const { param, reason } = clearestFault(result.error.issues, request);
  throw invalidField([at, param].filter((part) => part !== "").join("."), reason);
}

/** Parses an upstream's answer. Throws `upstream`, which names the field that is wrong. */
export function parseAnswer<T>(schema: ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const { param, reason } = clearestFault(result.error.issues, answer);
  const fault = param === "" ? `it ${reason}` : `\`${param}\` ${reason}`;
  throw unreadableAnswer(fault, result.error);
}

/** Parses the data of an event of an upstream's stream. Throws `upstream` if it is not JSON. */
export function parseEventData(data: string): unknown {
  try {
    return readExactJson(data);
  } catch (cause) {
    throw unreadableAnswer("an event of it is no JSON", cause);
  }
}

type Issue = ZodError["issues"][number];

interface Fault {
  param: string;
  reason: string;
}

/**
 * The first fault. Where a value could be one of several things, the fault is taken from the
 * alternative that was followed the deepest: most likely that one was meant.
 */
function clearestFault(issues: readonly Issue[], root: unknown, at: PropertyKey[] = []): Fault {
  const issue = issues[0];
  if (issue === undefined) return { param: at.join("."), reason: "is invalid" };
  const path = [...at, ...issue.path];
  if (issue.code === "invalid_union") {
    const deepest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
    if (deepest !== undefined && depth(deepest) > 0) return clearestFault(deepest, root, path);
    return { param: path.join("."), reason: unknownValue(valueAt(root, path)) };
  }
  const reason = issue.message.replace(/^Invalid input: |^Invalid option: /, "");
  return { param: path.join("."), reason: `is invalid: ${reason}` };
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length));
}

function unknownValue(value: unknown): string {
  if (value === undefined) return "is missing";
  if (typeof value !== "string") return "is invalid";
  return `is ${JSON.stringify(value.slice(0, 80))}, which this model's endpoint cannot be asked`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }, root);
}
