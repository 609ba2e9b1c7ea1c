import type { Registry } from "prom-client";
import type { Logger } from "../../lib/log.ts";
import { histogramSamples, type MetricSample, registerFamily } from "../record/family.ts";
import { Distribution } from "../record/series.ts";
import { RecorderMemory } from "./recorder.ts";
import { tokensOfText } from "./tokencount.ts";

/** What is kept of all streams that run, so that they can go on elsewhere when they break. */
const MEMORY_BYTES = 256 * 1024 * 1024;

/**
 * How streams that broke ended: an endpoint went on, none did though one may have been able to, or
 * nobody can go on with such a stream.
 */
const OUTCOMES = ["continued", "failed", "impossible"] as const;
type Outcome = (typeof OUTCOMES)[number];

/** One stream that went on. */
export interface WentOn {
  requestId: string;
  model: string;
  /** Names of the endpoint that broke, and of the one that goes on. */
  from: string;
  endpoint: string;
  /** Tokens of the answer that were made before. */
  tokens: number;
  /** From the break to the next token. */
  tookMs: number;
}

/** What all streams that may go on elsewhere share: memory, counts, log. */
export class Continuations {
  readonly memory = new RecorderMemory(MEMORY_BYTES);
  readonly tokensOf: typeof tokensOfText;
  readonly #log: Logger;
  readonly #counts: Record<Outcome, number> = { continued: 0, failed: 0, impossible: 0 };
  readonly #seconds = new Distribution();
  #tokens = 0;

  /** `tokensOf`: how the tokens of a text are counted. */
  constructor(log: Logger, tokensOf = tokensOfText) {
    this.#log = log;
    this.tokensOf = tokensOf;
  }

  /** A stream has its next token from another endpoint. */
  wentOn({ requestId, model, from, endpoint, tokens, tookMs }: WentOn): void {
    this.#counts.continued += 1;
    this.#tokens += tokens;
    this.#seconds.observe(tookMs / 1000);
    const took = Math.round(tookMs);
    const fields = { request_id: requestId, model, from, endpoint, tokens, took_ms: took };
    this.#log.info(fields, "stream.continued");
  }

  /** A stream that broke did not go on. */
  ended(outcome: Exclude<Outcome, "continued">): void {
    this.#counts[outcome] += 1;
  }

  /** Adds the counts to what a registry tells. */
  addTo(registry: Registry): void {
    const counter = (name: string, help: string, samples: () => MetricSample[]) =>
      registerFamily(registry, { name, help, type: "counter", samples });
    counter(
      "llmlb_stream_continuations_total",
      "Streams that broke: an endpoint continued them, none brought them on, or none can",
      () => OUTCOMES.map((outcome) => ({ labels: { outcome }, value: this.#counts[outcome] })),
    );
    counter(
      "llmlb_stream_continuation_tokens_total",
      "Tokens of answers that another endpoint read again to continue them",
      () => [{ labels: {}, value: this.#tokens }],
    );
    const seconds = "llmlb_stream_continuation_seconds";
    registerFamily(registry, {
      ...{ name: seconds, help: "Time from a stream's break to its next token", type: "histogram" },
      samples: () => histogramSamples(seconds, this.#seconds, {}),
    });
  }
}
