import { type Commit, commitOf, type HubFile, type Repo } from "./repo.ts";

/** A whole answer in memory. */
export interface HubAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What a request to the API is about. */
export interface ApiRequest {
  /** Below `/api/models/`, decoded, without the repository's name. */
  rest: string[];
  query: URLSearchParams;
  /** Of the page itself, for `Link`. */
  url: string;
  body: string;
  /** Entries on one page of a tree. */
  pageSize: number;
  tellsLfs: boolean;
}

/** `GET /api/models/{repo}` and what stands below it. */
export function answerApi(repo: Repo, request: ApiRequest): HubAnswer {
  const answer = answerTo(repo, request);
  return request.tellsLfs ? answer : { ...answer, body: withoutLfs(answer.body) };
}

function withoutLfs(body: string): string {
  const told = (key: string, value: unknown) =>
    key === "lfs" || key === "xetHash" ? undefined : value;
  return JSON.stringify(JSON.parse(body, told));
}

function answerTo(repo: Repo, request: ApiRequest): HubAnswer {
  const [what, revision = "main", ...path] = request.rest;
  if (what === undefined) return modelInfo(repo, "main", request.query);
  if (what === "revision") return modelInfo(repo, revision, request.query);
  if (what === "tree") return tree(repo, revision, path.join("/"), request);
  if (what === "paths-info") return pathsInfo(repo, revision, request);
  return hubError(404, undefined, "Sorry, we can't find the page you are looking for.");
}

/** An error as the hub tells it: a code in a header, a sentence in the body. */
export function hubError(status: number, code: string | undefined, message: string): HubAnswer {
  return {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-error-message": message,
      ...(code === undefined ? {} : { "x-error-code": code }),
    },
    body: JSON.stringify({ error: message }),
  };
}

/** The answer for a revision that does not exist. */
export function noRevision(revision: string): HubAnswer {
  return hubError(404, "RevisionNotFound", `Invalid rev id: ${revision}`);
}

function json(value: unknown, headers: Record<string, string> = {}): HubAnswer {
  const type = { "content-type": "application/json; charset=utf-8" };
  return { status: 200, headers: { ...type, ...headers }, body: JSON.stringify(value) };
}

function modelInfo(repo: Repo, revision: string, query: URLSearchParams): HubAnswer {
  const commit = commitOf(repo, revision);
  if (commit === undefined) return noRevision(revision);
  const all = infoOf(repo, commit, query.get("blobs") === "true");
  const expand = [...query.getAll("expand"), ...query.getAll("expand[]")];
  const keys = ["_id", "id", ...(expand.length > 0 ? expand : DEFAULT_KEYS)];
  const entries = Object.entries(all).filter(([key, value]) => {
    return keys.includes(key) && value !== undefined;
  });
  return json(Object.fromEntries(entries));
}

/** What is told of a model unless `expand` names something else. */
const DEFAULT_KEYS = [
  ...["private", "pipeline_tag", "library_name", "tags", "downloads", "likes", "modelId", "author"],
  ...["sha", "lastModified", "gated", "disabled", "config", "gguf", "siblings", "createdAt"],
];

function infoOf(repo: Repo, commit: Commit, blobs: boolean): Record<string, unknown> {
  return {
    _id: Bun.hash(repo.name).toString(16).padStart(24, "0").slice(0, 24),
    id: repo.name,
    modelId: repo.name,
    author: repo.name.split("/")[0],
    sha: commit.sha,
    lastModified: commit.date,
    createdAt: repo.commits[0]?.date,
    private: repo.private,
    gated: repo.gated,
    disabled: false,
    downloads: repo.downloads,
    likes: repo.likes,
    tags: repo.tags,
    pipeline_tag: repo.pipelineTag,
    library_name: undefined,
    config: repo.config,
    gguf: repo.gguf,
    siblings: [...commit.files.values()].map((file) => siblingOf(file, blobs)),
  };
}

function siblingOf({ path, size, oid, lfs }: HubFile, blobs: boolean): object {
  if (!blobs) return { rfilename: path };
  const { oid: sha256 = "", pointerSize } = lfs ?? {};
  const large = lfs === undefined ? {} : { lfs: { sha256, size, pointerSize } };
  return { rfilename: path, size, blobId: oid, ...large };
}

function entryOf({ path, size, oid, lfs, xetHash }: HubFile, commit: Commit, expand: boolean) {
  return {
    ...{ type: "file", oid, size, path },
    ...(lfs === undefined ? {} : { lfs, xetHash }),
    ...(expand ? { lastCommit: { id: commit.sha, title: "Upload", date: commit.date } } : {}),
  };
}

function tree(repo: Repo, revision: string, folder: string, request: ApiRequest): HubAnswer {
  const commit = commitOf(repo, revision);
  if (commit === undefined) return noRevision(revision);
  const { query, pageSize } = request;
  const prefix = folder === "" ? "" : `${folder}/`;
  const below = [...commit.files.values()].filter(({ path }) => path.startsWith(prefix));
  if (below.length === 0 && folder !== "") {
    return hubError(404, "EntryNotFound", `${folder} does not exist on "${revision}"`);
  }
  const recursive = query.get("recursive") === "true";
  const expand = query.get("expand") === "true";
  const folders = new Set(below.flatMap(({ path }) => foldersOf(path, prefix)));
  const direct = (path: string) => recursive || !path.slice(prefix.length).includes("/");
  const entries: { path: string }[] = [
    ...[...folders].map((path) => ({ type: "directory", oid: ZERO_OID, size: 0, path })),
    ...below.map((file) => entryOf(file, commit, expand)),
  ].filter(({ path }) => direct(path));
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const limit = Math.min(pageSize, Number(query.get("limit") ?? pageSize));
  const from = Number(atob(query.get("cursor") ?? "") || 0);
  if (from + limit >= entries.length) return json(entries.slice(from));
  const next = new URL(request.url);
  next.searchParams.set("cursor", btoa(String(from + limit)));
  return json(entries.slice(from, from + limit), { link: `<${next.href}>; rel="next"` });
}

const ZERO_OID = "0".repeat(40);

function foldersOf(path: string, prefix: string): string[] {
  const parts = path.slice(prefix.length).split("/").slice(0, -1);
  return parts.map((_, i) => prefix + parts.slice(0, i + 1).join("/"));
}

function pathsInfo(repo: Repo, revision: string, { body }: ApiRequest): HubAnswer {
  const commit = commitOf(repo, revision);
  if (commit === undefined) return noRevision(revision);
  const given = body.startsWith("{") ? JSON.parse(body) : undefined;
  const form = new URLSearchParams(body);
  const paths: string[] = given?.paths ?? form.getAll("paths");
  const expand = given?.expand === true || form.get("expand") === "true";
  const files = paths.flatMap((path) => commit.files.get(path) ?? []);
  return json(files.map((file) => entryOf(file, commit, expand)));
}
