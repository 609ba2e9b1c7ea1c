import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { ZodType } from "zod";
import { ConfigError } from "../error.ts";
import { valueSchema } from "./schema.ts";

/** A path, made absolute; relative ones start at `folder`. */
export function absolutePathFrom(folder: string): ZodType<string> {
  return valueSchema("must be a path", (value) =>
    typeof value === "string" && value !== "" ? absolutePath(value, folder) : undefined,
  );
}

/** A path, made absolute, or the word `none`. */
export function pathOrNone(folder: string): ZodType<string> {
  return valueSchema("must be a path, or none", (value) => {
    if (typeof value !== "string" || value === "") return undefined;
    return value === "none" ? value : absolutePath(value, folder);
  });
}

/** A URL of HTTP, or a path, made absolute. */
export function urlOrPath(folder: string): ZodType<string> {
  return valueSchema("must be a URL such as https://example.com/feed.json, or a path", (value) => {
    if (typeof value !== "string" || value === "") return undefined;
    if (!/^[a-z]{2,}:/i.test(value)) return absolutePath(value, folder);
    const url = URL.parse(value);
    return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined;
  });
}

/** An absolute path: `~/…` is below the user's home folder, anything relative below `folder`. */
export function absolutePath(path: string, folder: string): string {
  if (path === "~" || /^~[/\\]/.test(path)) return join(userFolder(), path.slice(1));
  return isAbsolute(path) ? path : resolve(folder, path);
}

/**
 * The home folder of the user. Throws `ConfigError` where there is none: in containers that run as
 * a user without an entry in the password file, say.
 */
export function userFolder(): string {
  try {
    return homedir();
  } catch (cause) {
    const message = "There is no home folder for the data: name one with LLMLB_HOME or --home.";
    throw new ConfigError(message, cause);
  }
}
