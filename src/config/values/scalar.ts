import { type ZodType, z } from "zod";
import { parseKeepAlive } from "../../wire/keepalive.ts";
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from "../units.ts";
import { type Shape, shapeOf, TEXTS_SHAPE, valueSchema } from "./schema.ts";

/** A whole number in a range, also from text. */
export function wholeNumber(min: number, max: number): ZodType<number> {
  const read = (value: unknown) => {
    const given = typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value;
    if (typeof given !== "number" || !Number.isInteger(given)) return undefined;
    return given >= min && given <= max ? given : undefined;
  };
  const shape = {
    type: ["integer", "string"],
    minimum: min,
    maximum: max,
    pattern: "^\\s*\\d+\\s*$",
  };
  return valueSchema(`must be a whole number from ${min} to ${max}`, read, shape);
}

/** A number with a unit. */
const QUANTITY: Shape = {
  type: ["number", "string"],
  minimum: 0,
  pattern: "^\\s*\\d+(\\.\\d+)?\\s*[A-Za-z]*\\s*$",
};

/** Timers take no longer delay: beyond it they fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A duration such as `30s` as milliseconds; a bare number is seconds. */
export function duration(minMs: number, maxMs = TIMER_MS_MAX): ZodType<number> {
  const least = `of at least ${formatDuration(minMs)}`;
  const most = maxMs < TIMER_MS_MAX ? ` and at most ${formatDuration(maxMs)}` : "";
  const expected = `must be a time ${least}${most} such as 500ms, 30s or 10m`;
  const read = (value: unknown) => {
    const ms = parseDurationMs(asText(value));
    return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
  };
  return valueSchema(expected, read, QUANTITY);
}

/** A size such as `64MiB` as bytes; a bare number is bytes. */
export function bytes(min: number): ZodType<number> {
  const expected = `must be a size of at least ${formatBytes(min)} such as 512KiB or 64MiB`;
  const read = (value: unknown) => {
    const size = parseBytes(asText(value));
    return size !== undefined && size >= min ? size : undefined;
  };
  return valueSchema(expected, read, QUANTITY);
}

/** A value, or `none` as text and null: there is no limit. */
export function orNone<T>(schema: ZodType<T>): ZodType<T | null> {
  const either = z.unknown().transform((value, ctx) => {
    if (value === null || value === "none") return null;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    ctx.addIssue({ code: "custom", message: `${issue?.message ?? "is wrong"}, or none` });
    return z.NEVER;
  });
  return either.meta({ shape: { anyOf: [shapeOf(schema), { enum: ["none", null] }] } });
}

/** Texts that are not empty: a list, or text with commas between them. */
export function nameList(): ZodType<string[]> {
  const read = (value: unknown) => {
    const items = (Array.isArray(value) ? value : [value]).flatMap((item) =>
      typeof item === "string" ? item.split(",") : [undefined],
    );
    if (items.includes(undefined)) return undefined;
    return items.map((item = "") => item.trim()).filter((item) => item !== "");
  };
  return valueSchema("must be names, with commas between them", read, TEXTS_SHAPE);
}

/** How long a model is kept, as ms; null: for good. */
export function keepAlive(): ZodType<number | null> {
  const read = (value: unknown) => {
    if (value === null) return null;
    const ms = parseKeepAlive(value);
    return ms === Number.POSITIVE_INFINITY ? null : ms;
  };
  const shape = { type: ["number", "string", "null"] };
  return valueSchema("must be a time such as 5m or 1h30m, 0, or -1 for good", read, shape);
}

/** True or false, also from text: `1 true yes on`, `0 false no off`. */
export function trueOrFalse(): ZodType<boolean> {
  const read = (value: unknown) => {
    const given = String(value).toLowerCase();
    if (["true", "1", "yes", "on"].includes(given)) return true;
    return ["false", "0", "no", "off"].includes(given) ? false : undefined;
  };
  return valueSchema("must be true or false", read, { type: ["boolean", "string", "number"] });
}

/** One of some words, in any case. */
export function oneOf<T extends string>(choices: T[]): ZodType<T> {
  return valueSchema(
    `must be one of ${choices.join(", ")}`,
    (value) =>
      choices.find((choice) => typeof value === "string" && choice === value.trim().toLowerCase()),
    { type: "string", enum: choices },
  );
}

/** A text that is not empty. */
export function nonEmptyText(expected: string): ZodType<string> {
  return valueSchema(`must be ${expected}`, (value) =>
    typeof value === "string" && value.trim() !== "" ? value.trim() : undefined,
  );
}

function asText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
