import { z } from "zod";
import { ENGINE_COMMAND } from "../../src/engine/command.ts";
import {
  argumentsOf,
  childrenOf,
  proportionalBytes,
  type Usage,
  usageOf,
} from "../bench/rig/process.ts";
import { slope } from "../bench/rig/slope.ts";

/** What a node and its engines use at a moment. */
export interface Sample extends Usage {
  /** Since the meter began, in seconds. */
  atS: number;
  /** Processes of the node, engines and others. */
  children: number;
  engines: number[];
  /** Memory of the engines' processes, see `proportionalBytes`. */
  engineBytes: number;
  /** The memory that the node counts for its engines. */
  reservedBytes: number;
}

const System = z.object({ models: z.array(z.object({ reserved_bytes: z.number().optional() })) });
const INTERVAL_MS = 1000;
/** Parts of the second half of a run, each much longer than the collector's pauses. */
const SPANS = 10;

/** Looks once a second at what a node uses. */
export class Meter {
  readonly samples: Sample[] = [];
  readonly #node: { pid: number; url: string };
  readonly #startMs = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #busy = false;

  constructor(node: { pid: number; url: string }) {
    this.#node = node;
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The most that was seen of something. */
  most(of: (sample: Sample) => number): number {
    return Math.max(...this.samples.map(of));
  }

  /**
   * How much something has grown over the second half of the time: what fills up at the start is no
   * leak. Least squares of the lowest value in each of some spans, because what the collector has
   * not yet freed is none either.
   */
  growth(of: (sample: Sample) => number): number {
    const half = this.samples.slice(this.samples.length >> 1);
    const size = Math.max(1, Math.ceil(half.length / SPANS));
    const lowest = Array.from({ length: Math.ceil(half.length / size) }, (_, i) => ({
      x: i,
      y: Math.min(...half.slice(i * size, (i + 1) * size).map(of)),
    }));
    return slope(lowest) * lowest.length;
  }

  /** Something over the run, at some moments evenly apart. */
  course(of: (sample: Sample) => number, moments = 12): number[] {
    const step = Math.max(1, (this.samples.length - 1) / (moments - 1));
    const chosen = Array.from({ length: moments }, (_, i) => this.samples[Math.round(i * step)]);
    return chosen.flatMap((sample) => (sample === undefined ? [] : [of(sample)]));
  }

  async #look(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      this.samples.push(await this.sample());
    } finally {
      this.#busy = false;
    }
  }

  async sample(): Promise<Sample> {
    const { pid, url } = this.#node;
    const atS = (performance.now() - this.#startMs) / 1000;
    const children = childrenOf(pid);
    const engines = enginesOf(pid);
    const engineBytes = engines.reduce((sum, engine) => sum + proportionalBytes(engine), 0);
    const usage = usageOf(pid);
    const { models } = System.parse(await (await fetch(`${url}/api/system`)).json());
    const reservedBytes = models.reduce((sum, { reserved_bytes = 0 }) => sum + reserved_bytes, 0);
    return { ...usage, atS, children: children.length, engines, engineBytes, reservedBytes };
  }
}

/** The processes of a node that run models, or are about to. */
export function enginesOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => argumentsOf(child).at(-1) === ENGINE_COMMAND);
}
