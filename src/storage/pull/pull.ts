import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Semaphore } from "../../lib/semaphore.ts";
import { localName } from "../../model/filename.ts";
import { GgufInvalid } from "../../model/gguf.ts";
import { readHeader } from "../../model/header.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import type { FileRecord, PlacedBy } from "../record.ts";
import { isAllowed, isAllowedRedirect } from "./allowlist.ts";
import { fetchBytes } from "./bytes.ts";
import { type Claim, type ClaimOptions, claimFolder, commitFolder } from "./claim.ts";
import type { FetchOptions } from "./fetch.ts";
import { type FileJob, pullFile } from "./file.ts";
import { notedBytes } from "./part.ts";
import { Progress } from "./progress.ts";
import type { Source } from "./request.ts";
import { RETRY_LIMIT_DEFAULT, type RetryLimitOptions } from "./retrylimit.ts";
import { Space } from "./space.ts";
import { Throttle } from "./throttle.ts";

export interface PullerOptions {
  /** Absolute path of the models folder. */
  root: string;
  /** Address of the hub, the only place that gets the token. */
  hubUrl: string;
  /** `HF_TOKEN` of this host. */
  token?: string | undefined;
  /** Patterns of where files may come from; see `isAllowed`. */
  origins: string[];
  /** For all pulls together; default and 0: no limit. */
  maxBytesPerSecond?: number;
  /** Open connections of all pulls. Default: 8. */
  connections?: number;
  /** Ranges of one file, and files of one model, at the same time. Default: 4. */
  lanes?: number;
  /**
   * Size of a range. Default: 64 MiB, large enough that asking for it costs nothing, small enough
   * that ranges end together.
   */
  segmentBytes?: number;
  /** A range is given so long to bring enough before another is begun. Default: 500 ms. */
  rampMs?: number;
  /** Longest silence of a server. Default: 30 s. */
  idleMs?: number;
  patience?: RetryLimitOptions;
  /** Told of sources that are given up and optional files that did not come. */
  onTrouble?(model: string, what: string, cause: unknown): void;
}

export interface PullRequest {
  manifest: Manifest;
  /** Those of the manifest's artifacts that are wanted; see `filesOf`. */
  files: Artifact[];
  /** The quantization that was chosen; it becomes the one that is meant when none is named. */
  quantization: string | null;
  placedBy: PlacedBy;
  signal: AbortSignal;
}

/** A model that was pulled. */
export interface Pulled {
  folder: string;
  files: FileRecord[];
  /** Optional files that did not come, by name. */
  absent: string[];
}

/** A pull that goes on. */
export interface Pull {
  progress: Progress;
  /** Rejects with `PullError` or the signal's reason; `progress` has ended then. */
  result: Promise<Pulled>;
}

/** Pulls models into a folder. All pulls of a process share one, and with it the bandwidth. */
export class Puller {
  readonly #options: Required<Omit<PullerOptions, "token">> & Pick<PullerOptions, "token">;
  readonly throttle: Throttle;
  readonly #connections: Semaphore;
  readonly #space = new Space();

  constructor(options: PullerOptions) {
    this.#options = {
      maxBytesPerSecond: 0,
      connections: 8,
      lanes: 4,
      rampMs: 500,
      segmentBytes: 64 * 1024 * 1024,
      idleMs: 30_000,
      patience: RETRY_LIMIT_DEFAULT,
      onTrouble: () => undefined,
      ...options,
    };
    this.throttle = new Throttle({ bytesPerSecond: this.#options.maxBytesPerSecond });
    this.#connections = new Semaphore(this.#options.connections);
  }

  /** Starts to fetch what is missing of a model's files. */
  pull(request: PullRequest): Pull {
    const progress = new Progress(request.manifest.model);
    const result = this.#run(request, progress);
    result.then(
      () => progress.end(null),
      (error: unknown) => progress.end(error instanceof Error ? error.message : String(error)),
    );
    return { progress, result };
  }

  /**
   * Reads the header of a GGUF file where it lies on the hub, with no more of it than that takes.
   * Throws `GgufInvalid`, `PullError`, or the signal's reason.
   */
  async header({ origin_allowlist: listed }: Manifest, { url }: Artifact, signal: AbortSignal) {
    const { origins, idleMs, patience } = this.#options;
    const source = { url, token: tokenFor(url, this.#options), peer: false };
    const allows = allowing(origins, listed);
    const request = { source, allows, idleMs, ifRange: undefined, signal };
    return readHeader(
      (start, length) => fetchBytes({ ...request, start, end: start + length }, patience),
      { metadataOnly: true },
    );
  }

  /** The same; undefined for what is no GGUF file that can be read. */
  async headerOrNone(manifest: Manifest, artifact: Artifact, signal: AbortSignal) {
    try {
      return await this.header(manifest, artifact, signal);
    } catch (error) {
      if (error instanceof GgufInvalid) return undefined;
      throw error;
    }
  }

  async #run(request: PullRequest, progress: Progress): Promise<Pulled> {
    const { manifest, signal } = request;
    const options: ClaimOptions = { ...request, root: this.#options.root };
    for (const artifact of request.files) {
      progress.expect(localName(artifact.filename), artifact.size_bytes);
    }
    const claim = await claimFolder(options);
    await noteWhatIsThere(claim, request.files, progress);
    const left = () => {
      const { total_bytes: total, bytes } = progress.snapshot();
      return total - bytes;
    };
    using _ = await this.#space.promise(claim.folder, manifest.model, left);
    const stop = new AbortController();
    const run = new ModelRun(claim, request, {
      ...this.#options,
      progress,
      throttle: this.throttle,
      connections: this.#connections,
      signal: AbortSignal.any([signal, stop.signal]),
      stop: (cause) => stop.abort(cause),
    });
    await run.all();
    await commitFolder(claim, options, run.came);
    return { folder: claim.folder, files: run.came, absent: run.absent };
  }
}

async function noteWhatIsThere(
  { folder }: Claim,
  files: Artifact[],
  progress: Progress,
): Promise<void> {
  for (const { filename } of files) {
    const name = localName(filename);
    const path = join(folder, name);
    const size = (await stat(path).catch(() => undefined))?.size;
    progress.file(name, "waiting", size ?? (await notedBytes(path)));
  }
}

interface RunOptions extends Required<Omit<PullerOptions, "token" | "connections">> {
  token?: string | undefined;
  connections: Semaphore;
  throttle: Throttle;
  progress: Progress;
  signal: AbortSignal;
  /** Ends all that goes on for this model. */
  stop(cause: unknown): void;
}

/** The files of one model on their way. */
class ModelRun {
  readonly came: FileRecord[] = [];
  readonly absent: string[] = [];
  readonly #claim: Claim;
  readonly #request: PullRequest;
  readonly #options: RunOptions;
  /** Addresses of nodes that failed: not asked again. */
  readonly #dropped = new Set<string>();

  constructor(claim: Claim, request: PullRequest, options: RunOptions) {
    this.#claim = claim;
    this.#request = request;
    this.#options = options;
  }

  /** Fetches all files, those of higher priority first. Throws the first failure that matters. */
  async all(): Promise<void> {
    const { lanes } = this.#options;
    const files = this.#request.files.toSorted((a, b) => b.priority - a.priority);
    const urgent = files.filter(({ priority }) => priority >= 0);
    const later = files.filter(({ priority }) => priority < 0);
    await this.#several(urgent, lanes);
    const least = 1 - (later.at(-1)?.priority ?? 0);
    await this.#several(later, Math.max(1, Math.floor(lanes / least)));
  }

  async #several(files: Artifact[], atOnce: number): Promise<void> {
    const open = [...files];
    let failure: unknown;
    const lane = async () => {
      for (let next = open.shift(); next !== undefined; next = open.shift()) {
        await this.#one(next).catch((error: unknown) => {
          failure ??= error;
          open.length = 0;
          this.#options.stop(error);
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, files.length) }, lane));
    if (failure !== undefined) throw failure;
  }

  async #one(artifact: Artifact): Promise<void> {
    const { progress, signal, onTrouble } = this.#options;
    const name = localName(artifact.filename);
    try {
      signal.throwIfAborted();
      this.came.push(await pullFile(this.#job(artifact, name)));
    } catch (error) {
      progress.file(name, "failed", await notedBytes(join(this.#claim.folder, name)));
      if (signal.aborted || !artifact.optional) throw error;
      this.absent.push(name);
      onTrouble(this.#request.manifest.model, `the optional file ${name}`, error);
    }
  }

  #job(artifact: Artifact, name: string): FileJob {
    const { progress, lanes, connections, throttle, signal, idleMs, patience } = this.#options;
    const { origins, segmentBytes, rampMs } = this.#options;
    const { manifest } = this.#request;
    const weight = 1 + Math.max(0, -artifact.priority);
    const path = join(this.#claim.folder, name);
    return {
      artifact,
      name,
      path,
      sources: this.#sources(artifact, name),
      known: this.#claim.known.get(name),
      placedBy: this.#claim.planned.get(name) ?? this.#request.placedBy,
      fetch: {
        allows: allowing(origins, manifest.origin_allowlist),
        throttle,
        connections,
        lanes: Math.max(1, Math.floor(lanes / weight)),
        segmentBytes,
        rampMs,
        weight,
        idleMs,
        patience,
      },
      onState: (state, bytes, total) => progress.file(name, state, bytes, total),
      onBytes: (count) => progress.received(name, count),
      onDropped: (source, cause) => {
        this.#dropped.add(new URL(source.url).origin);
        this.#options.onTrouble(manifest.model, `the source ${source.url} of ${name}`, cause);
      },
      signal,
    };
  }

  #sources({ filename, url }: Artifact, name: string): Source[] {
    const { manifest } = this.#request;
    const peers = manifest.peers.filter(({ files }) => files?.includes(filename) ?? true);
    const path = `/api/models/files/${[manifest.model, name].map(encodeURIComponent).join("/")}`;
    const sources = peers.map((peer) => ({
      url: peer.url.replace(/\/+$/, "") + path,
      token: peer.token ?? undefined,
      peer: true,
    }));
    const useful = sources.filter((peer) => !this.#dropped.has(new URL(peer.url).origin));
    return [...useful, { url, token: tokenFor(url, this.#options), peer: false }];
  }
}

/** The manifest may narrow what the node's own setting allows, not widen it. */
function allowing(origins: string[], listed: string[]): FetchOptions["allows"] {
  return (url, redirected) => {
    const check = redirected ? isAllowedRedirect : isAllowed;
    return check(url, origins) && (listed.length === 0 || check(url, listed));
  };
}

function tokenFor(
  url: string,
  { hubUrl, token }: { hubUrl: string; token?: string | undefined },
): string | undefined {
  return URL.parse(url)?.origin === URL.parse(hubUrl)?.origin ? token : undefined;
}
