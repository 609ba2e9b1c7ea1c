import { LinkedList, ListItem } from "../../lib/linkedlist.ts";
import type { ApiError } from "../../wire/error.ts";

/** Ends a request at an endpoint, for a reason; false if it stays as nobody else can take it. */
export type EndRequest = (reason: ApiError) => boolean;

/** What was sent so shortly before a check may be read by the server after it. */
const BESIDE_MS_MIN = 500;

/** A request of whose answer nothing has come. */
export class SilentRequest extends ListItem {
  readonly end: EndRequest;
  readonly sentAtMs: number;

  constructor(end: EndRequest, sentAtMs: number) {
    super();
    this.end = end;
    this.sentAtMs = sentAtMs;
  }
}

/**
 * The requests at one endpoint of whose answers nothing has come. One that computes them and one
 * that hangs look alike, unless checks tell: those of a server that answers them beside requests.
 */
export class SilentRequests {
  /** Oldest first. A list, since a map costs a request as much as all of its routing. */
  readonly #requests = new LinkedList<SilentRequest>();
  /**
   * The server was seen to answer a check while it worked on a request. Until then its silence says
   * nothing: simple servers do one thing at a time.
   */
  answersBeside = false;

  add(end: EndRequest, nowMs: number): SilentRequest {
    const request = new SilentRequest(end, nowMs);
    this.#requests.push(request);
    return request;
  }

  /** Something of the answer came, or the request ended. Idempotent. */
  delete(request: SilentRequest): void {
    this.#requests.remove(request);
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

  /** Ends all that can be made elsewhere. */
  end(reason: ApiError): void {
    for (const request of [...this.#requests]) if (request.end(reason)) this.delete(request);
  }
}

function ignore(): void {
  // There is no request that could show anything.
}
