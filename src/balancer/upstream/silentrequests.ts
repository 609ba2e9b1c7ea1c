import type { ApiError } from "../../wire/error.ts";

/** Ends a request at an endpoint, for a reason; false if it stays as nobody else can take it. */
export type EndRequest = (reason: ApiError) => boolean;

/** What was sent so shortly before a check may be read by the server after it. */
const BESIDE_MS_MIN = 500;

/**
 * The requests at one endpoint of whose answers nothing has come. One that computes them and one
 * that hangs look alike, unless checks tell: those of a server that answers them beside requests.
 */
export class SilentRequests {
  /** When each was sent, oldest first. */
  readonly #sentAtMs = new Map<EndRequest, number>();
  /**
   * The server was seen to answer a check while it worked on a request. Until then its silence says
   * nothing: simple servers do one thing at a time.
   */
  answersBeside = false;

  add(end: EndRequest, nowMs: number): void {
    this.#sentAtMs.set(end, nowMs);
  }

  /** Something of the answer came, or the request ended. */
  delete(end: EndRequest): void {
    this.#sentAtMs.delete(end);
  }

  /**
   * A check begins. Call what it returns if it was answered, in whatever way: a request that the
   * server had before and has not answered shows that it can do both.
   */
  beginCheck(nowMs: number): () => void {
    const [oldest] = this.#sentAtMs;
    if (oldest === undefined || oldest[1] > nowMs - BESIDE_MS_MIN) return ignore;
    return () => {
      if (this.#sentAtMs.get(oldest[0]) === oldest[1]) this.answersBeside = true;
    };
  }

  /** Ends all that can be made elsewhere. */
  end(reason: ApiError): void {
    for (const end of [...this.#sentAtMs.keys()]) if (end(reason)) this.delete(end);
  }
}

function ignore(): void {
  // There is no request that could show anything.
}
