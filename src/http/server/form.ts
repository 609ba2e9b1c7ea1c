import { ApiError } from "../../wire/error.ts";
import type { StreamedBody } from "../client/upload.ts";
import { boundaryOf, type FormField, type FormFile, MultipartParser } from "./multipart.ts";
import { Spool } from "./spool.ts";

/** The part of a form that has been read so far. */
export interface PartialForm {
  readonly fields: readonly FormField[];
  readonly files: readonly FormFile[];
  /** The whole form has been read. */
  readonly ended: boolean;
  /** The first text field of this name. */
  field(name: string): FormField | undefined;
}

export interface FormOptions {
  /** Largest body, in bytes. */
  limitBytes: number;
  /**
   * Called after each piece: whether enough is known to send the form on; the rest is then passed
   * on without being parsed. It may throw to refuse the form.
   */
  isEnough(form: PartialForm): boolean;
  /** The folder for forms that are too large for memory. Default: the system's temporary folder. */
  folder?: string;
  /** Most bytes kept in memory. Default: 1 MiB. */
  memoryBytes?: number;
}

/**
 * Reads a form until enough of it is known. Throws 415 for another content type, 400 `invalid_form`
 * or `body_incomplete`, 413 for too many bytes, or what `isEnough` throws.
 */
export async function readForm(request: Request, options: FormOptions): Promise<Form> {
  const boundary = boundaryOf(request.headers.get("content-type"));
  const coding = request.headers.get("content-encoding") ?? "identity";
  if (coding.toLowerCase() !== "identity") {
    const message = `The content encoding ${coding} is not supported: send the form uncompressed.`;
    throw new ApiError("unsupported_media_type", message);
  }
  const declared = request.headers.get("content-length");
  const length = declared === null ? undefined : Number(declared);
  if (length !== undefined && length > options.limitBytes) throw tooLarge(options.limitBytes);
  const form = new Form({ body: request.body, boundary, length, ...options });
  try {
    await form.read();
    return form;
  } catch (error) {
    await form.close();
    throw error;
  }
}

interface FormParts extends FormOptions {
  body: ReadableStream<Uint8Array> | null;
  boundary: string;
  /** Bytes of the body, if declared. */
  length: number | undefined;
}

/**
 * A form that is still coming in: what was read of it so far, and the whole of it as a body to send
 * on, byte for byte. The caller has to close it.
 */
export class Form implements PartialForm {
  readonly #parts: FormParts;
  readonly #parser: MultipartParser;
  readonly #spool: Spool;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #received = 0;
  #complete = false;
  #isSent = false;

  constructor(parts: FormParts) {
    this.#parts = parts;
    this.#parser = new MultipartParser(parts.boundary);
    this.#spool = new Spool(parts.folder, parts.memoryBytes);
    this.#reader = parts.body?.getReader();
  }

  get fields(): readonly FormField[] {
    return this.#parser.fields;
  }

  get files(): readonly FormFile[] {
    return this.#parser.files;
  }

  get ended(): boolean {
    return this.#complete;
  }

  field(name: string): FormField | undefined {
    return this.#parser.field(name);
  }

  /** Whether the form can be sent (again): it was not sent yet, or all of it is kept. */
  get sendable(): boolean {
    return this.#complete || !this.#isSent;
  }

  /** @internal Reads until enough is known. */
  async read(): Promise<void> {
    const { isEnough } = this.#parts;
    while (!this.#complete) {
      const piece = await this.#next();
      if (piece === undefined) {
        this.#parser.end();
        this.#complete = true;
      } else {
        this.#parser.push(piece);
        await this.#spool.write(piece);
      }
      if (isEnough(this)) return;
    }
  }

  /**
   * The form as a request body. It is unchanged but for `model`: with it, that field gets this
   * value, or is put in front if there is none. Throws unless `sendable`: a form that has not been
   * read to its end can be sent once only.
   */
  body(model?: string): StreamedBody {
    if (!this.sendable) throw new Error("The form was sent already, and is not kept.");
    this.#isSent = true;
    const { length } = this.#parts;
    const bytes = length ?? (this.#complete ? this.#received : undefined);
    if (model === undefined) return { stream: this.#replay(), length: bytes };
    const field = this.field("model");
    const { start, end } = field ?? { start: 0, end: 0 };
    const text = Buffer.from(field === undefined ? this.#partOf("model", model) : model);
    const change = text.byteLength - (end - start);
    return {
      stream: spliced(this.#replay(), { start, end, text }),
      length: bytes === undefined ? undefined : bytes + change,
    };
  }

  /** Stops reading and deletes what was kept. Idempotent. */
  async close(): Promise<void> {
    // A client that is still sending notices it by the response.
    this.#reader?.cancel().catch(() => undefined);
    await this.#spool.close();
  }

  #partOf(name: string, value: string): string {
    const { boundary } = this.#parts;
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  }

  async *#replay(): AsyncGenerator<Uint8Array> {
    yield* this.#spool.read();
    while (!this.#complete) {
      const piece = await this.#next();
      if (piece === undefined) return;
      yield piece;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { limitBytes } = this.#parts;
    const result = await this.#reader?.read().catch((cause: unknown) => {
      const message = "Reading the request body failed: it ended early.";
      throw new ApiError("invalid_request", message, { code: "body_incomplete", cause });
    });
    if (result === undefined || result.done) return undefined;
    this.#received += result.value.byteLength;
    if (this.#received > limitBytes) throw tooLarge(limitBytes);
    return result.value;
  }
}

/** A stream in which the bytes from `start` to `end` are replaced by `text`. */
async function* spliced(
  stream: AsyncIterable<Uint8Array>,
  { start, end, text }: { start: number; end: number; text: Uint8Array },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let done = false;
  for await (const piece of stream) {
    const next = at + piece.byteLength;
    if (at < start) yield piece.subarray(0, start - at);
    if (!done && next > start) {
      done = true;
      yield text;
    }
    if (next > end) yield piece.subarray(Math.max(0, end - at));
    at = next;
  }
}

function tooLarge(limitBytes: number): ApiError {
  const message = `The request body is too large: at most ${limitBytes} bytes are accepted here.`;
  return new ApiError("body_too_large", message);
}
