import { isHubHost } from "../config/fields/hub.ts";
import { hostOf } from "../lib/host.ts";
import { isQuantizationName } from "../model/quantization.ts";
import { ApiError } from "../wire/error.ts";
import { isSafePath } from "../wire/manifest.ts";

/** A model, or a part of one, that `org/name` or an address of the hub refers to. */
export interface Reference {
  /** `org/name`, in the given case. */
  repo: string;
  /** Branch, tag or commit; undefined: the main branch. */
  revision?: string;
  /** Path in the repository. */
  filename?: string | undefined;
  /** Path of a folder in the repository: only files in it are meant. */
  folder?: string | undefined;
  /** What follows the colon in `org/name:Q4_K_M`. */
  quantization?: string | undefined;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,255}$/;
/** Followed by a revision and a file. */
const FILE_VERBS = new Set(["resolve", "blob", "raw", "edit", "blame"]);
/** Followed by a revision. */
const REVISION_VERBS = new Set(["tree", "commit", "commits"]);
const OTHER_KINDS = new Set(["datasets", "spaces", "collections", "papers", "docs", "blog"]);

/**
 * Reads `org/name`, `org/name/file`, `org/name:QUANT`, or any address of a model on the hub, with
 * or without scheme: its page, `resolve`, `blob`, `raw`, `tree`, the API's. Query and fragment are
 * ignored. Throws 400 with the field `repo`.
 */
export function parseReference(text: string, hubUrl: string): Reference {
  const path = pathOf(text, hubUrl);
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map((part) => decoded(part, text));
  if (parts[0] === "api" && parts[1] === "models") parts.splice(0, 2);
  else if (parts[0] === "models" || parts[0] === "hf") parts.splice(0, 1);
  const [org = "", given = "", verb, ...rest] = parts;
  if (OTHER_KINDS.has(org)) throw invalid(text, `${org} are no models`);
  if (given === "") throw invalid(text, "it must be org/name, such as Qwen/Qwen3-0.6B-GGUF");
  const [name = "", quantization, ...more] = given.split(":");
  if (more.length > 0) throw invalid(text, "it has more than one colon");
  const repo = `${org}/${name}`;
  if (!NAME.test(org) || !NAME.test(name) || repo.includes("..")) {
    throw invalid(text, "org and name are made of letters, digits, dots, - and _");
  }
  if (quantization !== undefined && !isQuantizationName(quantization)) {
    throw invalid(text, "what follows the colon is no quantization, such as Q4_K_M");
  }
  const variant = quantization === undefined ? {} : { quantization };
  if (verb === undefined) return { repo, ...variant };
  return { repo, ...variant, ...placeOf(verb, rest, text) };
}

/** Checks a file's path in a repository. Throws 400 with the field `filename`. */
export function checkFilename(filename: string): string {
  if (/^[/\\]/.test(filename) || !isSafePath(filename)) {
    const message = `The request is invalid: \`filename\` must be a path in the repository such as \
model-Q4_K_M.gguf.`;
    throw new ApiError("invalid_request", message, { param: "filename" });
  }
  return filename;
}

function placeOf(verb: string, rest: string[], text: string): Partial<Reference> {
  if (!FILE_VERBS.has(verb) && !REVISION_VERBS.has(verb)) {
    // Other pages of a model, such as its discussions, and `org/name/file`.
    const isFile = /\.(?:gguf|safetensors|json)$/i.test([verb, ...rest].join("/"));
    return isFile ? { filename: checkFilename([verb, ...rest].join("/")) } : {};
  }
  const isPull = rest[0] === "refs" && rest.length >= 3;
  const revision = isPull ? rest.slice(0, 3).join("/") : rest[0];
  if (revision === undefined) return {};
  if (!REVISION.test(revision) || revision.includes("..")) {
    throw invalid(text, `${JSON.stringify(revision.slice(0, 40))} is no revision`);
  }
  const named = revision === "main" ? {} : { revision };
  const file = rest.slice(isPull ? 3 : 1).join("/");
  if (REVISION_VERBS.has(verb) || file === "") return named;
  return { ...named, filename: checkFilename(file) };
}

/** The path behind the hub's host. Throws 400 for another host. */
function pathOf(text: string, hubUrl: string): string {
  const plain = text.trim().replace(/[?#].*$/s, "");
  if (/[\\\s]/.test(plain)) throw invalid(text, "it has blanks or backslashes");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(plain)?.[1]?.toLowerCase();
  if (scheme === "hf") return plain.slice(5);
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw invalid(text, `${scheme}:// is no address of the hub`);
  }
  const base = URL.parse(hubUrl);
  const bare = scheme === undefined ? plain : plain.slice(scheme.length + 3);
  const [host = "", ...segments] = bare.split("/");
  const url = URL.parse(`${scheme ?? base?.protocol.slice(0, -1)}://${host}`);
  const isBase = url !== null && base !== null && sameHost(url, base);
  if (!isBase && (url === null || !isHubHost(hostOf(url)))) {
    if (scheme === undefined) return plain;
    throw invalid(text, `${host.slice(0, 100)} is not the hub; it is at ${base?.host ?? hubUrl}`);
  }
  const path = segments.join("/");
  const prefix = base?.pathname.slice(1).replace(/\/$/, "") ?? "";
  const isBelow = prefix !== "" && isBase && path.startsWith(`${prefix}/`);
  return isBelow ? path.slice(prefix.length + 1) : path;
}

/** Whether two addresses have the same host and port; `http` and `https` are the same here. */
function sameHost(a: URL, b: URL): boolean {
  return hostOf(a) === hostOf(b) && a.port === b.port;
}

function decoded(part: string, text: string): string {
  try {
    // A revision such as refs/pr/1 is one part: its slashes are written %2F.
    return decodeURIComponent(part);
  } catch {
    throw invalid(text, "its percent-encoding is broken");
  }
}

function invalid(text: string, why: string): ApiError {
  const shown = JSON.stringify(text.slice(0, 200));
  const message = `The request is invalid: \`repo\` ${shown} cannot be read: ${why}.`;
  return new ApiError("invalid_request", message, { code: "invalid_repo", param: "repo" });
}
