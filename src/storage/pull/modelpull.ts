import { join } from "node:path";
import { localName } from "../../model/filename.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import type { FileOwner, FileRecord } from "../modelrecord.ts";
import { type FilePull, pullFile } from "./filepull.ts";
import type { FileSource } from "./filesource.ts";
import type { FolderClaim } from "./folderclaim.ts";
import { allowedOrigins, tokenFor } from "./hubaccess.ts";
import type { PartFetchOptions } from "./partfetch.ts";
import { notedBytes } from "./partfile.ts";
import type { Progress } from "./progress.ts";

export interface PullRequest {
  manifest: Manifest;
  /** The artifacts of the manifest that shall be fetched; see `filesOf`. */
  files: Artifact[];
  /** The chosen quantization: the one that a request means from now on if it names none. */
  quantization: string | null;
  placedBy: FileOwner;
  signal: AbortSignal;
}

/** The limits that all pulls share. */
type SharedLimits = Pick<
  PartFetchOptions,
  | "throttle"
  | "connections"
  | "parallel"
  | "segmentBytes"
  | "rampMs"
  | "idleMs"
  | "slowMs"
  | "retryLimit"
>;

export interface ModelPullOptions extends SharedLimits {
  /** Address of the hub, the only place that gets the token. */
  hubUrl: string;
  token?: string | undefined;
  /** Patterns of where files may come from; see `isAllowed`. */
  origins: string[];
  progress: Progress;
  signal: AbortSignal;
  /** Ends everything that runs for this model. */
  stop(cause: unknown): void;
  /** Called when a source is given up, or an optional file cannot be fetched. */
  onTrouble(model: string, what: string, cause: unknown): void;
}

/** Fetches the files of one model. */
export class ModelPull {
  /** The files that are whole, those that were there before included. */
  readonly files: FileRecord[] = [];
  /** Names of the optional files that could not be fetched. */
  readonly absent: string[] = [];
  readonly #claim: FolderClaim;
  readonly #request: PullRequest;
  readonly #options: ModelPullOptions;
  /** Origins of the nodes that failed: they are not asked again. */
  readonly #dropped = new Set<string>();

  constructor(claim: FolderClaim, request: PullRequest, options: ModelPullOptions) {
    this.#claim = claim;
    this.#request = request;
    this.#options = options;
  }

  /** Fetches all files, by priority. Throws the first failure, unless the file is optional. */
  async fetchAll(): Promise<void> {
    const { parallel } = this.#options;
    const files = this.#request.files.toSorted((a, b) => b.priority - a.priority);
    const urgent = files.filter(({ priority }) => priority >= 0);
    const later = files.filter(({ priority }) => priority < 0);
    await this.#fetchSeveral(urgent, parallel);
    const least = 1 - (later.at(-1)?.priority ?? 0);
    await this.#fetchSeveral(later, Math.max(1, Math.floor(parallel / least)));
  }

  async #fetchSeveral(files: Artifact[], atOnce: number): Promise<void> {
    const open = [...files];
    let failure: unknown;
    const worker = async () => {
      for (let next = open.shift(); next !== undefined; next = open.shift()) {
        await this.#fetchOne(next).catch((error: unknown) => {
          failure ??= error;
          open.length = 0;
          this.#options.stop(error);
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, files.length) }, worker));
    if (failure !== undefined) throw failure;
  }

  async #fetchOne(artifact: Artifact): Promise<void> {
    const { progress, signal, onTrouble } = this.#options;
    const name = localName(artifact.filename);
    try {
      signal.throwIfAborted();
      this.files.push(await pullFile(this.#job(artifact, name)));
    } catch (error) {
      progress.file(name, "failed", await notedBytes(join(this.#claim.folder, name)));
      if (signal.aborted || !artifact.optional) throw error;
      this.absent.push(name);
      onTrouble(this.#request.manifest.model, `the optional file ${name}`, error);
    }
  }

  #job(artifact: Artifact, name: string): FilePull {
    const { progress, parallel, connections, throttle, signal, idleMs, retryLimit } = this.#options;
    const { origins, segmentBytes, rampMs, slowMs } = this.#options;
    const { manifest } = this.#request;
    const weight = 1 + Math.max(0, -artifact.priority);
    const path = join(this.#claim.folder, name);
    return {
      artifact,
      name,
      path,
      sources: this.#sources(artifact, name),
      recorded: this.#claim.recorded.get(name),
      placedBy: this.#claim.planned.get(name) ?? this.#request.placedBy,
      fetch: {
        allows: allowedOrigins(origins, manifest.origin_allowlist),
        throttle,
        connections,
        parallel: Math.max(1, Math.floor(parallel / weight)),
        segmentBytes,
        rampMs,
        weight,
        idleMs,
        slowMs,
        retryLimit,
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

  /** Where a file can be fetched from: nodes first, the hub last. */
  #sources({ filename, url }: Artifact, name: string): FileSource[] {
    const { manifest } = this.#request;
    const peers = manifest.peers.filter(({ files }) => files?.includes(filename) ?? true);
    const path = `/api/models/files/${[manifest.model, name].map(encodeURIComponent).join("/")}`;
    const sources = peers.map((peer) => ({
      url: peer.url.replace(/\/+$/, "") + path,
      token: peer.token ?? undefined,
      fingerprint: peer.tls_fingerprint,
      peer: true,
    }));
    const useful = sources.filter((peer) => !this.#dropped.has(new URL(peer.url).origin));
    return [...useful, { url, token: tokenFor(url, this.#options), peer: false }];
  }
}
