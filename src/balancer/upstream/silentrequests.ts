import { LinkedList, ListItem } from "../../lib/linkedlist.ts";
import type { ApiError } from "../../wire/error.ts";

/**
 * Ends a request at an endpoint, for a reason; with `silentSinceMs` only if nothing has come of its
 * answer since then (`performance.now()`).
 */
export type EndRequest = (reason: ApiError, silentSinceMs?: number) => boolean;

/** What was sent so shortly before a check may be read by the server after it. */
const BESIDE_MS_MIN = 500;

/** A request that an endpoint has. */
export class SentRequest extends ListItem {
  readonly end: EndRequest;
  readonly sentAtMs: number;
  /** Hands it to another endpoint; undefined: it cannot be. */
  readonly move: (() => void) | undefined;

  constructor(end: EndRequest, sentAtMs: number, move?: () => void) {
    super();
    this.move = move;
    this.end = end;
    this.sentAtMs = sentAtMs;
  }
}

/**
 * The requests at one endpoint: those of whose answers nothing has come, and those with a part of
 * it. One that computes them and one that hangs look alike, unless checks tell: those of a server
 * that answers them beside requests.
 */
export class SilentRequests {
  /** Oldest first. A list, since a map costs a request as much as all of its routing. */
  readonly #requests = new LinkedList<SentRequest>();
  readonly #begun = new LinkedList<SentRequest>();
  /**
   * The server was seen to answer a check while it worked on a request. Until then its silence says
   * nothing: simple servers do one thing at a time.
   */
  answersBeside = false;

  add(end: EndRequest, nowMs: number, move?: () => void): SentRequest {
    const request = new SentRequest(end, nowMs, move);
    this.#requests.push(request);
    return request;
  }

  /** Something of the answer came. */
  begin(request: SentRequest): void {
    if (this.#requests.remove(request)) this.#begun.push(request);
  }

  /** The request ended. Idempotent. */
  delete(request: SentRequest): void {
    if (!this.#requests.remove(request)) this.#begun.remove(request);
  }

  /**
   * A check begins. Call what it returns if it was answered, in whatever way: a request that the
   * server had before and has not answered shows that it can do both.
   */
  beginCheck(nowMs: number): () => void {
    const { first: oldest } = this.#requests;
    if (oldest === undefined || oldest.sentAtMs > nowMs - BESIDE_MS_MIN) return ignore;
    return () => {
      if (this.#requests.first === oldest) this.answersBeside = true;
    };
  }

  /** Hands those with a part of their answer to other endpoints, as far as that costs nothing. */
  move(): void {
    for (const request of [...this.#begun]) request.move?.();
  }

  /** Ends those of which nothing came, and those of which nothing more came since `sinceMs`. */
  end(reason: ApiError, sinceMs: number): void {
    for (const request of [...this.#requests]) request.end(reason);
    for (const request of [...this.#begun]) request.end(reason, sinceMs);
  }
}

function ignore(): void {
  // There is no request that could show anything.
}
