import { freemem } from "node:os";
import { chooseFit, freeMemoryOf } from "../../storage/fit.ts";
import { GgufInvalid } from "../../storage/gguf.ts";
import {
  type Candidate,
  candidatesOf,
  filesOf,
  usableArtifacts,
} from "../../storage/pull/artifacts.ts";
import { PullError } from "../../storage/pull/failure.ts";
import type { Puller } from "../../storage/pull/pull.ts";
import { type ModelShape, shapeOf } from "../../storage/shape.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import type { Device } from "../../wire/system.ts";

export interface ChooserOptions {
  puller: Puller;
  devices(): Promise<Device[]>;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
}

/** Which files of a model a node takes. */
export interface Choice {
  candidate: Candidate;
  files: Artifact[];
}

const RUNTIMES = ["llama_cpp"];

/** Chooses among what a manifest offers, by what the engine runs and the memory holds. */
export class Chooser {
  readonly #options: ChooserOptions;

  constructor(options: ChooserOptions) {
    this.#options = options;
  }

  /** Throws `PullError` that says why nothing can be used here, or that the hub cannot be asked. */
  async choose(manifest: Manifest, signal: AbortSignal): Promise<Choice> {
    const { devices, engineArgs } = this.#options;
    const host = { runtimes: RUNTIMES, platform: process.platform };
    const artifacts = usableArtifacts(manifest, host);
    const candidates = candidatesOf(artifacts).filter(({ format }) => format === "gguf");
    const [first] = candidates;
    if (first === undefined) throw nothing(manifest);
    const free = freeMemoryOf(await devices(), freemem());
    const extra = filesOf(first, artifacts).filter((file) => !first.artifacts.includes(file));
    const extraBytes = extra.reduce((sum, { size_bytes: size }) => sum + (size ?? 0), 0);
    const shape = await this.#shapeOf(manifest, first, signal);
    const fit = { candidates, shape, args: engineArgs, free, extraBytes };
    const { candidate } = chooseFit(fit);
    return { candidate, files: filesOf(candidate, artifacts) };
  }

  /** All quantizations of a model have one shape. */
  async #shapeOf(
    manifest: Manifest,
    { artifacts: [artifact] }: Candidate,
    signal: AbortSignal,
  ): Promise<ModelShape | undefined> {
    if (artifact === undefined) return undefined;
    try {
      return shapeOf(await this.#options.puller.header(manifest, artifact, signal));
    } catch (error) {
      // Then sizes alone decide, and the engine says what is wrong with the file.
      if (error instanceof GgufInvalid) return undefined;
      throw error;
    }
  }
}

function nothing({ model, artifacts }: Manifest): PullError {
  const formats = [...new Set(artifacts.map(({ format }) => format))].join(", ");
  const message = `${model} cannot be run on this node: its engine runs GGUF files, and the model \
has none (${formats}). An endpoint of another kind may serve it.`;
  return new PullError("no_artifact", message);
}
