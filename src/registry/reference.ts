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
/** Followed by a revision; the first one by a folder or a file then. */
const REVISION_VERBS = new Set(["tree", "commit", "commits", "revision"]);
/** Other pages of a model, whose addresses mean the model. */
const PAGES = new Set(["discussions", "community", "settings"]);
const FILE = /\.(?:gguf|safetensors|json)$/i;
const OTHER_KINDS = new Set(["datasets", "spaces", "collections", "papers", "docs", "blog"]);

/**
 * Reads `org/name`, `org/name/file`, `org/name:QUANT`, or any address of a model on the hub, with
 * or without scheme: its page, `resolve`, `blob`, `raw`, `tree` with a folder, the API's. Query and
 * fragment of an address are ignored, but for a file that the page shows. Nothing else that follows
 * is: what is not understood is refused. Throws 400 with the field `repo`.
 */
export function parseReference(text: string, hubUrl: string): Reference {
  const parts = partsOf(text, hubUrl);
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
  const shown = shownFile(text);
  if (verb === undefined) return { repo, ...variant, ...shown };
  const place = placeOf(verb, rest, { text, repo });
  const file = place.filename ?? place.folder;
  if (quantization !== undefined && file !== undefined) {
    throw invalid(text, `it names ${quantization} and ${file}: name one of them`);
  }
  return { repo, ...variant, ...place, ...(file === undefined ? shown : {}) };
}

/** The file that the address of a model's page shows, as the hub links to it. */
function shownFile(text: string): Pick<Reference, "filename"> {
  const file = /:\/\/[^?#]*\?(?:[^#]*&)?show_file_info=([^&#]+)/.exec(text)?.[1];
  return file === undefined ? {} : { filename: checkFilename(decoded(file, text)) };
}

/**
 * The parts of the path that a reference is. Those of an address are decoded. A plain name of a
 * file is taken as it is, whatever is in it: so are the ids of models.
 */
function partsOf(text: string, hubUrl: string): string[] {
  const path = pathOf(text, hubUrl);
  if (path !== undefined) return split(path).map((part) => decoded(part, text));
  const [first = "", ...others] = split(text.trim());
  const raw = first === "hf" || first === "models" ? others : [first, ...others];
  const isPage = FILE_VERBS.has(raw[2] ?? "") || REVISION_VERBS.has(raw[2] ?? "");
  if (raw.length > 2 && !isPage) return raw;
  return split(withoutQuery(text)).map((part) => decoded(part, text));
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

function withoutQuery(text: string): string {
  return text.trim().replace(/[?#].*$/s, "");
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

interface PlaceContext {
  text: string;
  repo: string;
}

function placeOf(verb: string, rest: string[], { text, repo }: PlaceContext): Partial<Reference> {
  if (PAGES.has(verb)) return {};
  if (!FILE_VERBS.has(verb) && !REVISION_VERBS.has(verb)) {
    const path = [verb, ...rest].join("/");
    if (FILE.test(path)) return { filename: checkFilename(path) };
    const shown = JSON.stringify(path.slice(0, 80));
    throw invalid(
      text,
      `${shown} is no file of a model: those end in .gguf or .safetensors. A quantization follows \
a colon, as in ${repo}:Q4_K_M`,
    );
  }
  const isPull = rest[0] === "refs" && rest.length >= 3;
  const revision = isPull ? rest.slice(0, 3).join("/") : rest[0];
  if (revision === undefined) return {};
  if (!REVISION.test(revision) || revision.includes("..")) {
    throw invalid(text, `${JSON.stringify(revision.slice(0, 40))} is no revision`);
  }
  const named = revision === "main" ? {} : { revision };
  const path = rest.slice(isPull ? 3 : 1).join("/");
  if (path === "") return named;
  if (FILE_VERBS.has(verb) || FILE.test(path)) return { ...named, filename: checkFilename(path) };
  if (verb === "tree") return { ...named, folder: checkFilename(path) };
  throw invalid(text, `${JSON.stringify(path.slice(0, 80))} behind its revision is not understood`);
}

/** The path behind the hub's host; undefined for a plain name. Throws 400 for another host. */
function pathOf(text: string, hubUrl: string): string | undefined {
  const plain = withoutQuery(text);
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
    if (scheme === undefined) return undefined;
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
