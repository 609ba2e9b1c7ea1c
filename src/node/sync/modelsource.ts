import type { PullTarget } from "../../registry/pulltarget.ts";
import type { Artifact, Manifest, Peer } from "../../wire/manifest.ts";

/** What is to be pulled, whatever the spelling of the request. */
export interface PullJobTarget {
  /** The id of the model. */
  id: string;
  /** The quantization that the request names. */
  quantization?: string | undefined;
  /** What else narrows it: a revision, a folder. */
  place: string;
}

/** Tells which files a model has, and when and from which nodes they may be fetched. */
export interface ModelSource {
  /** What a name refers to, however it is spelled. Throws 400 for what is no name. */
  target(model: string): PullJobTarget;
  /** The manifest of a model. Throws `ApiError`. */
  offer(model: string, signal: AbortSignal): Promise<PullTarget>;
  /**
   * Waits until this node may fetch the files; returns the nodes that have them, none for the hub.
   * The lease is kept until the signal of `options` is aborted. Throws `ApiError`.
   */
  acquireLease(manifest: Manifest, files: Artifact[], options: LeaseOptions): Promise<Peer[]>;
}

export interface LeaseOptions {
  signal: AbortSignal;
  /** Called with the name of the node that fetches the files from the hub, while this one waits. */
  onWait(holder: string): void;
}
