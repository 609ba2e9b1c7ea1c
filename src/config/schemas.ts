import { type ZodType, z } from "zod";
import { aliasConflict, readAlias } from "./alias.ts";
import { endpointConflict, parseEndpoint, readEndpoint } from "./endpoint.ts";
import { absolutePath, modelConflict, type NamedPath, parseNamedPath, readModel } from "./model.ts";
import {
  fallbackConflict,
  googleBase,
  providerConflict,
  readFallback,
  readProvider,
} from "./provider.ts";
import type {
  AliasSetting,
  CustomProviderSetting,
  EndpointSetting,
  FallbackSetting,
  ModelSetting,
} from "./settings.ts";
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from "./units.ts";
import { splitWords } from "./words.ts";

/** A whole number in a range, also from text. */
export function wholeNumber(min: number, max: number): ZodType<number> {
  return reading(`must be a whole number from ${min} to ${max}`, (value) => {
    const given = typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value;
    if (typeof given !== "number" || !Number.isInteger(given)) return undefined;
    return given >= min && given <= max ? given : undefined;
  });
}

/** Timers take no more and fire at once beyond. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A duration such as `30s` as milliseconds; a bare number is seconds. */
export function duration(minMs: number, maxMs = TIMER_MS_MAX): ZodType<number> {
  const least = `of at least ${formatDuration(minMs)}`;
  const most = maxMs < TIMER_MS_MAX ? ` and at most ${formatDuration(maxMs)}` : "";
  const expected = `must be a time ${least}${most} such as 500ms, 30s or 10m`;
  return reading(expected, (value) => {
    const ms = parseDurationMs(asText(value));
    return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
  });
}

/** A size such as `64MiB` as bytes; a bare number is bytes. */
export function bytes(min: number): ZodType<number> {
  const expected = `must be a size of at least ${formatBytes(min)} such as 512KiB or 64MiB`;
  return reading(expected, (value) => {
    const size = parseBytes(asText(value));
    return size !== undefined && size >= min ? size : undefined;
  });
}

/** True or false, also from text: `1 true yes on`, `0 false no off`. */
export function flag(): ZodType<boolean> {
  return reading("must be true or false", (value) => {
    const given = String(value).toLowerCase();
    if (["true", "1", "yes", "on"].includes(given)) return true;
    return ["false", "0", "no", "off"].includes(given) ? false : undefined;
  });
}

/** One of some words, in any case. */
export function oneOf<T extends string>(choices: T[]): ZodType<T> {
  return reading(`must be one of ${choices.join(", ")}`, (value) =>
    choices.find((choice) => typeof value === "string" && choice === value.trim().toLowerCase()),
  );
}

/** A text that is not empty. */
export function text(expected: string): ZodType<string> {
  return reading(`must be ${expected}`, (value) =>
    typeof value === "string" && value.trim() !== "" ? value.trim() : undefined,
  );
}

/** A base URL without slash at its end. */
export function baseUrl(): ZodType<string> {
  return reading("must be a URL such as http://10.0.0.5:32768", (value) => {
    const parsed = typeof value === "string" ? parseEndpoint(value) : "";
    return typeof parsed === "string" ? undefined : parsed.url;
  });
}

/** A path, made absolute. */
export function path(folder: string): ZodType<string> {
  return reading("must be a path", (value) =>
    typeof value === "string" && value !== "" ? absolutePath(value, folder) : undefined,
  );
}

/** Words of a command line: a list, a JSON list, or one text to be split as a shell does. */
export function words(): ZodType<string[]> {
  return reading('must be a list of texts such as ["--ctx-size", "8192"]', (value) => {
    const given = typeof value === "string" ? (parseList(value) ?? splitWords(value)) : value;
    return Array.isArray(given) && given.every((word) => typeof word === "string")
      ? given
      : undefined;
  });
}

/** A list of endpoints: `[name=]url` or `{name, url, api_key}` each. */
export function endpoints(): ZodType<EndpointSetting[]> {
  return listOf(readEndpoint, endpointConflict);
}

/** The base URL of Google's API, with its version at the end. */
export function googleBaseUrl(): ZodType<string> {
  return reading(
    "must be a URL such as https://generativelanguage.googleapis.com/v1beta",
    (value) => (typeof value === "string" ? googleBase(value) : undefined),
  );
}

/** A list of clouds: `name=url` or `{name, url, api_key}` each. */
export function providers(): ZodType<CustomProviderSetting[]> {
  return listOf(readProvider, providerConflict);
}

/** A list of rules: `model=provider:model` or `{model, to}` each. */
export function fallbacks(): ZodType<FallbackSetting[]> {
  return listOf(readFallback, fallbackConflict);
}

/** A list of aliases: `name=model` or `{name, models}` each. */
export function aliases(): ZodType<AliasSetting[]> {
  return listOf(readAlias, aliasConflict);
}

/** A list of models: `[id=]path` or `{id, path, mmproj}` each. */
export function models(folder: string): ZodType<ModelSetting[]> {
  return listOf((value) => readModel(value, folder), modelConflict);
}

/** A list of projector files: `[id=]path` each. */
export function projectors(folder: string): ZodType<NamedPath[]> {
  return listOf((value) =>
    typeof value === "string" ? parseNamedPath(value, folder) : "must be a file, or name=file",
  );
}

/** The items of a list; `read` returns a text for one that is wrong, `check` one for them all. */
function listOf<T extends object>(
  read: (value: unknown) => T | string,
  check: (items: T[]) => string | undefined = () => undefined,
): ZodType<T[]> {
  return z.unknown().transform((value, ctx) => {
    const given = typeof value === "string" ? (parseList(value) ?? splitList(value)) : value;
    const items: T[] = [];
    for (const item of Array.isArray(given) ? given : [given]) {
      const result = read(item);
      if (typeof result === "string") {
        ctx.addIssue({ code: "custom", message: result, params: { item } });
        return z.NEVER;
      }
      items.push(result);
    }
    const conflict = check(items);
    if (conflict !== undefined) ctx.addIssue(conflict);
    return items;
  });
}

function reading<T>(expected: string, read: (value: unknown) => T | undefined): ZodType<T> {
  return z.unknown().transform((value, ctx) => {
    const result = read(value);
    if (result !== undefined) return result;
    ctx.addIssue(expected);
    return z.NEVER;
  });
}

function asText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** The list in a text that is a JSON list; undefined for any other text. */
function parseList(given: string): unknown[] | undefined {
  if (!given.trimStart().startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(given);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // Read as plain text, which fails with the message of what is expected.
  }
}

function splitList(given: string): string[] {
  return given
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
