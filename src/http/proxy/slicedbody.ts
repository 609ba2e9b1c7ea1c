import { ownTurn } from "../../lib/eventloop.ts";
import type { AnswerBody, ReadableBody } from "../client/body.ts";

/** So much is changed within some milliseconds, whatever is in it. */
const SLICE_BYTES = 64 * 1024;

/**
 * A body whose bytes are taken in small slices, a large piece in many turns of the event loop: so
 * that others are served while an endpoint says much at once. What `read` returns goes to `slice`:
 * the promise of the body itself serves its reader, as another one would cost each piece time.
 */
export class SlicedBody implements ReadableBody {
  readonly #body: ReadableBody;
  readonly #sliceBytes: number;
  #rest: Uint8Array | undefined;

  /** `sliceBytes`: the longest slice. */
  constructor(body: ReadableBody, sliceBytes = SLICE_BYTES) {
    this.#body = body;
    this.#sliceBytes = sliceBytes;
  }

  /** What was left of the last piece, in a turn of its own, or the next piece. */
  read(): ReturnType<AnswerBody["read"]> {
    return this.#rest === undefined ? this.#body.read() : ownTurn().then(() => this.#readRest());
  }

  /** The beginning of what was read; what is left comes with the next `read`. */
  slice(bytes: Uint8Array | undefined): Uint8Array | undefined {
    if (bytes === undefined || bytes.byteLength <= this.#sliceBytes) return bytes;
    this.#rest = bytes.subarray(this.#sliceBytes);
    return bytes.subarray(0, this.#sliceBytes);
  }

  abort(cause: unknown): void {
    this.#rest = undefined;
    this.#body.abort(cause);
  }

  /** Unless it was aborted meanwhile. */
  #readRest(): ReturnType<AnswerBody["read"]> {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest ?? this.#body.read();
  }
}
