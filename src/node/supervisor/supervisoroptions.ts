import type { Logger } from "../../lib/log.ts";
import type { RunSettings } from "../../wire/runsettings.ts";
import type { ServedModel } from "../models/catalog.ts";
import type { PromptDisk } from "../prompts/promptdisk.ts";
import type { Workers } from "../workers/workers.ts";
import type { EngineEventName, Launch } from "./engineoptions.ts";
import type { Fit } from "./room/fit.ts";
import type { Ledger } from "./room/ledger.ts";

export interface SupervisorOptions {
  launch: Launch;
  /** The data folder. */
  home: string;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
  /** Longest wait for a model to load. */
  loadTimeoutMs: number;
  log: Logger;
  /** Who uses which memory. */
  ledger: Ledger;
  /** What may be taken from models so that they fit; null: what their settings leave open. */
  fit: Fit | null;
  /** How long requests of a model that was removed may go on, in ms. */
  drainMs: number;
  /** How long an engine that is retired may take to end before it is killed, in ms. */
  graceMs: number;
  /** A model as it is served now; the same one if it no longer is. */
  current(model: ServedModel): ServedModel;
  /** Whether no other model will need memory. */
  isAlone(): boolean;
  /** Most engines at the same time; null: as many as have room. */
  enginesMax: number | null;
  /** Keeps prompts when engines end. Default: nothing does. */
  promptDisk?: PromptDisk;
  /** Models that stay loaded, by id. */
  pinned: readonly string[];
  /** How long models stay loaded after their last request, in ms; null: until room is needed. */
  keepAliveMs: number | null;
  /** The nodes that lend their devices. Default: no model uses any. */
  workers?: Workers;
  /** Bytes of memory that the host has left. Default: what the system says. */
  availableBytes?(): number;
  /** Called when an engine of a model was loaded, could not be, ended, or crashed. */
  onEvent?(modelId: string, event: EngineEventName): void;
  /** Called when the state of an engine has become another one. */
  onChange?(): void;
  /** Default: the system's clock. */
  nowMs?(): number;
}

/** How a model is loaded. */
export interface LoadOptions {
  keepAliveMs?: number | undefined;
  /** Default: as the last load said. */
  settings?: RunSettings | undefined;
}
