import type { ApiError } from "../wire/error.ts";
import type { ServerEvent } from "../wire/sse.ts";
import { streamError } from "./errors.ts";
import type { StreamTranslation } from "./translation.ts";

/**
 * The part that all translations of streams share: what a step throws becomes an error in the
 * client's stream, and nothing follows an error or the stream's last event.
 */
export abstract class EventStreamTranslation implements StreamTranslation {
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  push(event: ServerEvent): string {
    if (this.#isOver) return "";
    try {
      return this.read(event);
    } catch (thrown) {
      return this.fail(streamError(thrown));
    }
  }

  end(): string {
    if (this.#isOver) return "";
    try {
      return this.readEnd();
    } catch (thrown) {
      return this.fail(streamError(thrown));
    }
  }

  finish(): string | undefined {
    if (this.#isOver) return "";
    try {
      return this.readEnd();
    } catch {
      return undefined; // It had not ended: what follows is an error.
    }
  }

  fail(error: ApiError): string {
    if (this.#isOver) return "";
    this.#isOver = true;
    return this.errorText(error);
  }

  /** The client's text for one event of the upstream. */
  protected abstract read(event: ServerEvent): string;

  /** The client's text at the end of the upstream's stream. Throws where that came too early. */
  protected abstract readEnd(): string;

  /** The client's text for an error, with which its stream ends. */
  protected abstract errorText(error: ApiError): string;

  /** The client's stream is complete: what comes later is ignored. */
  protected close(): void {
    this.#isOver = true;
  }
}
