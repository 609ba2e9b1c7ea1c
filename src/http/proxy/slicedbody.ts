import { ownTurn } from "../../lib/eventloop.ts";
import type { AnswerBody, ReadableBody } from "../client/body.ts";

/** So much is changed within some milliseconds, whatever is in it. */
const SLICE_BYTES = 64 * 1024;

/**
 * A body whose bytes come in small pieces only, a large one in many turns of the event loop: so
 * that others are served while an endpoint says much at once.
 */
export class SlicedBody implements ReadableBody {
  readonly #body: ReadableBody;
  #rest: Uint8Array | undefined;

  constructor(body: ReadableBody) {
    this.#body = body;
  }

  read(): ReturnType<AnswerBody["read"]> {
    if (this.#rest !== undefined) return ownTurn().then(() => this.#readNext());
    const read = this.#body.read();
    return read instanceof Promise ? read.then((bytes) => this.#slice(bytes)) : this.#slice(read);
  }

  abort(cause: unknown): void {
    this.#rest = undefined;
    this.#body.abort(cause);
  }

  /** Unless it was aborted meanwhile. */
  #readNext(): ReturnType<AnswerBody["read"]> {
    return this.#rest === undefined ? this.read() : this.#slice(this.#rest);
  }

  #slice(bytes: Uint8Array | undefined): Uint8Array | undefined {
    const isShort = bytes === undefined || bytes.byteLength <= SLICE_BYTES;
    this.#rest = isShort ? undefined : bytes.subarray(SLICE_BYTES);
    return isShort ? bytes : bytes.subarray(0, SLICE_BYTES);
  }
}
