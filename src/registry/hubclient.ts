import { downloadFile, listFiles, modelInfo, pathsInfo } from "@huggingface/hub";
import { formatBytes } from "../config/units.ts";
import type { HubCache } from "../db/state/hubcache.ts";
import { withDeadline } from "../lib/deadline.ts";
import { ApiError } from "../wire/error.ts";
import { HubError } from "./huberror.ts";
import { HubTransport, type HubTransportOptions } from "./hubtransport.ts";
import {
  fileOf,
  HubModelInfo,
  type RepoFile,
  RepoSnapshot,
  smallFilesOf,
  snapshotOf,
  TreeEntry,
} from "./reposnapshot.ts";

export interface HubOptions extends HubTransportOptions {
  cache: Pick<HubCache, "get" | "put" | "drop">;
  /** How long an answer is taken from the cache without a request. Default: 5 min. */
  ttlMs?: number;
}

/** What the hub says about a repository, now or earlier. */
export interface DatedSnapshot {
  snapshot: RepoSnapshot;
  /** Why the snapshot may be out of date: the failure of the last request. */
  stale?: HubError;
}

const TTL_MS = 300_000;
/** An older answer is not used, even if the hub cannot be reached. */
const STALE_MS_MAX = 30 * 86_400_000;
/** No model has more files. */
const FILES_MAX = 10_000;
/** The longest text file that is read; the indexes of the largest models have about 15 MiB. */
const TEXT_BYTES_MAX = 32 * 2 ** 20;
const PATHS_MAX = 500;
const AHEAD_MAX = 3;
const REPO = { type: "model" } as const;

/** Reads repositories of the hub, through a cache. */
export class HubClient {
  readonly url: string;
  readonly hasToken: boolean;
  readonly #cache: Pick<HubCache, "get" | "put" | "drop">;
  readonly #ttlMs: number;
  readonly #at: { hubUrl: string; fetch: typeof fetch };
  /** Requests that are running, by key: equal requests share one. */
  readonly #flights = new Map<string, Promise<unknown>>();

  constructor({ cache, ttlMs = TTL_MS, ...transport }: HubOptions) {
    this.url = transport.hubUrl;
    this.hasToken = transport.token !== null;
    this.#cache = cache;
    this.#ttlMs = ttlMs;
    const carrier = new HubTransport(transport);
    const send = (input: string | URL | Request, init?: RequestInit) => carrier.fetch(input, init);
    this.#at = { hubUrl: this.url, fetch: send as typeof fetch };
  }

  /**
   * A repository at a branch, tag or commit: fresh, or from the cache. If the hub cannot be reached
   * or wants no more requests, an answer of up to 30 days ago is used. Throws `HubError`, and
   * `ApiError` (`client_closed`) when `signal` is aborted.
   */
  async snapshot(repo: string, revision: string, signal: AbortSignal): Promise<DatedSnapshot> {
    const key = `${this.url} ${repo.toLowerCase()} ${revision}`;
    const cached = await this.#cached(key);
    // If the clock was set back, the answer is from the future: its age counts all the same.
    const ageMs = Math.abs(Date.now() - (cached?.fetchedAt ?? 0));
    if (cached !== undefined && ageMs < this.#ttlMs) {
      return { snapshot: cached.snapshot };
    }
    try {
      const flight = this.#once(key, () => this.#ask(key, repo, revision));
      return { snapshot: await until(flight, signal) };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (!error.isPassing) await this.#cache.drop(key);
      const isUsable = cached !== undefined && ageMs < STALE_MS_MAX;
      if (error.isPassing && isUsable) return { snapshot: cached.snapshot, stale: error };
      throw error;
    }
  }

  /** Reads a small text file at a commit, where it never changes. Throws as `snapshot` does. */
  async text(
    { repo, revision }: RepoSnapshot,
    file: RepoFile,
    signal: AbortSignal,
  ): Promise<string> {
    if (file.size > TEXT_BYTES_MAX) {
      const sizes = `${formatBytes(file.size)}, at most ${formatBytes(TEXT_BYTES_MAX)}`;
      throw new HubError("too_large", `${file.path} is too large to be read (${sizes}).`);
    }
    const key = `${this.url} ${repo} ${revision} ${file.path}`;
    const cached = await this.#cache.get(key);
    if (cached !== undefined) return cached.body;
    const flight = this.#once(key, async () => {
      const text = await this.#download(repo, revision, file);
      await this.#cache.put(key, text);
      return text;
    });
    return await until(flight, signal);
  }

  /** Files in git come from `raw` without a redirect; a mirror may lack that route. */
  async #download(repo: string, revision: string, file: RepoFile): Promise<string> {
    const url = resolveUrl(this.url, repo, revision, file.path);
    if (file.sha256 !== null) return await this.#downloadFrom(url, repo, revision, file);
    try {
      const raw = url.replace("/resolve/", "/raw/");
      return await this.#downloadFrom(raw, repo, revision, file);
    } catch (error) {
      if (error instanceof HubError && error.isPassing) throw error;
      return await this.#downloadFrom(url, repo, revision, file);
    }
  }

  async #downloadFrom(
    url: string,
    repo: string,
    revision: string,
    file: RepoFile,
  ): Promise<string> {
    // With this information given, the library sends one request, not three.
    const downloadInfo = { url, size: file.size, etag: file.sha256 ?? file.gitOid ?? "" };
    const blob = await this.#guarded(() =>
      downloadFile({ ...this.#at, repo, revision, path: file.path, xet: false, downloadInfo }),
    );
    if (blob === null) throw new HubError("file", `${file.path} is gone.`);
    return await this.#guarded(() => blob.text());
  }

  async #cached(key: string) {
    const row = await this.#cache.get(key);
    if (row === undefined) return undefined;
    const parsed = RepoSnapshot.safeParse(JSON.parse(row.body));
    return parsed.success ? { snapshot: parsed.data, fetchedAt: row.fetchedAt } : undefined;
  }

  async #ask(key: string, repo: string, revision: string): Promise<RepoSnapshot> {
    // Both at the same time: each takes a round trip to the hub.
    const [info, files] = await Promise.all([
      this.#guarded(() => this.#info(repo, revision)),
      this.#guarded(() => this.#files(repo, revision)),
    ]);
    const likely = snapshotOf(info, files);
    const [isSame] = await Promise.all([
      revision === info.sha || this.#guarded(() => this.#isAt(info, files)),
      this.#fetchAhead(likely),
    ]);
    // Somebody committed between the two answers.
    const exact = isSame ? files : await this.#guarded(() => this.#files(info.name, info.sha));
    const snapshot = { ...likely, files: exact };
    await this.#cache.put(key, JSON.stringify(snapshot));
    return snapshot;
  }

  /** Puts into the cache what is needed next. A failure does no harm: it is read again then. */
  async #fetchAhead(snapshot: RepoSnapshot): Promise<void> {
    const { signal } = new AbortController();
    const files = smallFilesOf(snapshot).slice(0, AHEAD_MAX);
    await Promise.allSettled(files.map((file) => this.text(snapshot, file, signal)));
  }

  async #info(name: string, revision: string): Promise<HubModelInfo> {
    // The hub knows the field `gguf`, too, although the library's types do not.
    const fields = ["sha", "tags", "config", "gguf" as "config"] as const;
    const at = { ...this.#at, name, revision, additionalFields: [...fields] };
    return HubModelInfo.parse(await modelInfo(at));
  }

  async #files(name: string, revision: string): Promise<RepoFile[]> {
    const at = { ...this.#at, repo: { ...REPO, name }, revision: encodeURIComponent(revision) };
    const files: RepoFile[] = [];
    for await (const entry of listFiles({ ...at, recursive: true })) {
      const file = fileOf(TreeEntry.parse(entry));
      if (file !== undefined) files.push(file);
      if (files.length > FILES_MAX) {
        throw new HubError("unreachable", `${name} has more than ${FILES_MAX} files.`);
      }
    }
    return files;
  }

  /** Whether the large files of a branch's list are the same at the commit. */
  async #isAt({ name, sha: revision }: HubModelInfo, files: RepoFile[]): Promise<boolean> {
    const large = files.filter(({ sha256 }) => sha256 !== null).slice(0, PATHS_MAX);
    if (large.length === 0) return true;
    const paths = large.map(({ path }) => path);
    const found = await pathsInfo({ ...this.#at, repo: { ...REPO, name }, revision, paths });
    const hashes = new Map(found.map(({ path, lfs }) => [path, lfs?.oid]));
    return large.every(({ path, sha256 }) => hashes.get(path) === sha256);
  }

  /** Turns what the library throws for an invalid answer into a `HubError`. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      const message = "its answer is not what a hub answers.";
      throw new HubError("unreachable", message, undefined, cause);
    }
  }

  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#flights.get(key) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}

/** The address of a file of a repository at a commit, with every part percent-encoded. */
export function resolveUrl(hubUrl: string, repo: string, revision: string, path: string): string {
  const parts = path.split("/").map(encodeURIComponent).join("/");
  return `${hubUrl}/${repo}/resolve/${encodeURIComponent(revision)}/${parts}`;
}

/** Waits for `work` until `signal` is aborted; the work goes on for other callers. */
async function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const outcome = await withDeadline(work, { signal });
  if (outcome !== "aborted" && outcome !== "timeout") return outcome;
  throw new ApiError("client_closed", "Asking the hub was given up.");
}
