import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileOwner } from "../storage/modelrecord.ts";
import { Puller, type PullerOptions, type PullResult } from "../storage/pull/puller.ts";
import type { Artifact, Manifest } from "../wire/manifest.ts";
import { ModelsFolder } from "./modelsfolder.ts";
import { FileServer, sha256, testManifest } from "./servers/files.ts";

/** A hub, a models folder, and a puller between them that waits only milliseconds between tries. */
export class PullBench implements AsyncDisposable {
  readonly hub: FileServer;
  readonly models = new ModelsFolder();
  /** What was given up on the way. */
  readonly troubles: string[] = [];
  #options: Partial<PullerOptions> = {};

  private constructor(hub: FileServer) {
    this.hub = hub;
  }

  static async start(options: Partial<PullerOptions> = {}): Promise<PullBench> {
    const bench = new PullBench(await FileServer.start());
    bench.#options = options;
    return bench;
  }

  puller(more: Partial<PullerOptions> = {}): Puller {
    return new Puller({
      root: this.models.path,
      hubUrl: this.hub.url,
      origins: [`${this.hub.url}/*`],
      idleMs: 5000,
      retryLimit: { attemptsMax: 4, firstMs: 1, maxMs: 4 },
      onTrouble: (_, what) => this.troubles.push(what),
      ...this.#options,
      ...more,
    });
  }

  pull(
    files: Artifact[],
    more: {
      manifest?: Partial<Manifest>;
      placedBy?: FileOwner;
      puller?: Puller;
      signal?: AbortSignal;
    } = {},
  ): Promise<PullResult> {
    const manifest = testManifest(files, more.manifest);
    const { puller = this.puller(), placedBy = "user", signal } = more;
    const quantization = files[0]?.quantization ?? null;
    const wait = signal ?? new AbortController().signal;
    return puller.pull({ manifest, files, quantization, placedBy, signal: wait }).result;
  }

  get folder(): string {
    return join(this.models.path, "hf/org/model");
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Names in the model's folder. */
  names(): string[] {
    return existsSync(this.folder) ? readdirSync(this.folder).sort() : [];
  }

  /** A file is there as the artifact says. */
  isWhole({ filename, sha256: wanted }: Artifact): boolean {
    const path = this.path(filename);
    return existsSync(path) && sha256(readFileSync(path)) === wanted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.models[Symbol.dispose]();
    await this.hub[Symbol.asyncDispose]();
  }
}

/** The error that a promise rejects with. Throws if it does not reject. */
export async function failing(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
