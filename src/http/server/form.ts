import { ApiError } from "../../wire/error.ts";
import type { StreamedBody } from "../client/upload.ts";
import { boundaryOf, type FormField, type FormFile, MultipartParser } from "./multipart.ts";
import { Spool } from "./spool.ts";

/** What is known of a form so far. */
export interface FormSeen {
  readonly fields: readonly FormField[];
  readonly files: readonly FormFile[];
  /** All of it has come. */
  readonly ended: boolean;
  /** The first text field of this name. */
  field(name: string): FormField | undefined;
}

export interface FormOptions {
  /** Largest body. */
  limitBytes: number;
  /**
   * Asked after each piece: whether enough is known to send the form on. It may throw to refuse it.
   * The rest then goes through without being looked at.
   */
  enough(seen: FormSeen): boolean;
  /** Where what is too large for memory is kept. Default: the system's folder for such files. */
  folder?: string;
  /** Bytes kept in memory. Default: 1 MiB. */
  memoryBytes?: number;
}

/**
 * Reads a form until enough of it is known. Throws 415 for another content type, 400 `invalid_form`
 * or `body_incomplete`, 413 for too many bytes, or what `enough` throws.
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
  /** Bytes of the body, if that is known. */
  length: number | undefined;
}

/**
 * A form on its way: what was read of it, and all of it to be sent on, byte for byte. It has to be
 * closed when it is no longer needed.
 */
export class Form implements FormSeen {
  readonly #parts: FormParts;
  readonly #parser: MultipartParser;
  readonly #spool: Spool;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #received = 0;
  #complete = false;
  #taken = false;

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

  /** It can (still) be sent: nothing of it was sent, or all of it is kept. */
  get sendable(): boolean {
    return this.#complete || !this.#taken;
  }

  /** @internal Reads until there is enough. */
  async read(): Promise<void> {
    const { enough } = this.#parts;
    while (!this.#complete) {
      const piece = await this.#next();
      if (piece === undefined) {
        this.#parser.end();
        this.#complete = true;
      } else {
        this.#parser.push(piece);
        await this.#spool.write(piece);
      }
      if (enough(this)) return;
    }
  }

  /**
   * The form as a request body, unchanged; with `model`, that field has this value, or is put in
   * front if there was none. As long as `sendable`; once only if it has not all come.
   */
  body(model?: string): StreamedBody {
    if (!this.sendable) throw new Error("The form was sent already, and is not kept.");
    this.#taken = true;
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

  /** Reads and keeps no more of it. Idempotent. */
  async close(): Promise<void> {
    // A client that is still sending notices it by the answer.
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

/** Bytes in which those from `start` to `end` are replaced. */
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
