import { ApiError } from "../../wire/error.ts";

/** A file of a form, as far as it has been read. */
export interface FormFile {
  field: string;
  filename: string;
  contentType: string;
  /** The first bytes of the file, enough to recognise its format. */
  head: Buffer;
  bytes: number;
  /** The file has been read to its end. */
  whole: boolean;
}

/** A text field: its value, and where the value is in the body. */
export interface FormField {
  name: string;
  value: string;
  /** Offset of the value's first byte, and of the byte after its last. */
  start: number;
  end: number;
}

const PARTS_MAX = 64;
const PART_HEAD_BYTES_MAX = 16 * 1024;
/** Most bytes of all text fields together, prompts included. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** Bytes that are kept of the beginning of a file. */
const FILE_HEAD_BYTES = 64;

const LINE_END = "\r\n";
const HEAD_END = Buffer.from("\r\n\r\n");

type Part = { file: FormFile } | { name: string; pieces: Buffer[]; bytes: number; start: number };

/**
 * Parses multipart/form-data (RFC 7578, 2046) in pieces of any size:
 *
 *     before -(delimiter)-> border -(line end)-> head -(empty line)-> data -(delimiter)-> border
 *     border -("--")-> after
 *
 * Keeps text fields; of files only size and beginning. Throws 400 `invalid_form`.
 */
export class MultipartParser {
  readonly fields: FormField[] = [];
  readonly files: FormFile[] = [];
  readonly #delimiter: Buffer;
  #state: "before" | "border" | "head" | "data" | "after" = "before";
  /** Bytes not parsed yet. It begins with a line end, which the first delimiter may lack. */
  #rest: Buffer = Buffer.from(LINE_END);
  /** Offset of `#rest` in the body. */
  #at = -LINE_END.length;
  #part: Part | undefined;
  #parts = 0;
  #textBytes = 0;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`${LINE_END}--${boundary}`, "latin1");
  }

  /** Whether the last delimiter has been read. */
  get ended(): boolean {
    return this.#state === "after";
  }

  /** The first text field of this name. */
  field(name: string): FormField | undefined {
    return this.fields.find((field) => field.name === name);
  }

  push(bytes: Uint8Array): void {
    if (this.#state === "after") return;
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    while (this.#step());
  }

  /** The body has ended. Throws if the form had not. */
  end(): void {
    if (this.#state !== "after") throw invalidForm("it ends before its last boundary");
  }

  /** Parses the next element. False: it needs more bytes. */
  #step(): boolean {
    switch (this.#state) {
      case "before":
      case "data":
        return this.#readData();
      case "border":
        return this.#readBorder();
      case "head":
        return this.#readHead();
      case "after":
        return false;
    }
  }

  #readData(): boolean {
    const found = this.#rest.indexOf(this.#delimiter);
    // The delimiter may have begun at the end of what is here.
    const count = found < 0 ? this.#rest.length - this.#delimiter.length + 1 : found;
    if (count > 0) this.#keep(this.#take(count));
    if (found < 0) return false;
    this.#finish();
    this.#take(this.#delimiter.length);
    this.#state = "border";
    return true;
  }

  #readBorder(): boolean {
    if (this.#rest.length < 2) return false;
    if (this.#rest.toString("latin1", 0, 2) === "--") {
      this.#rest = Buffer.alloc(0);
      this.#state = "after";
      return false;
    }
    const end = this.#rest.indexOf(LINE_END);
    const padding = this.#rest.toString("latin1", 0, end < 0 ? this.#rest.length : end);
    if (padding.length > 64 || !/^[ \t]*\r?$/.test(padding)) {
      throw invalidForm("a boundary does not end its line");
    }
    if (end < 0) return false;
    // The line end is left for `#readHead`, because a head may have no lines.
    this.#take(end);
    this.#state = "head";
    return true;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf(HEAD_END);
    if ((end < 0 ? this.#rest.length : end) > PART_HEAD_BYTES_MAX) {
      throw invalidForm("the headers of a part are too long");
    }
    if (end < 0) return false;
    const head = this.#take(end).toString("utf8");
    this.#take(HEAD_END.length);
    this.#begin(head);
    this.#state = "data";
    return true;
  }

  #begin(head: string): void {
    this.#parts += 1;
    if (this.#parts > PARTS_MAX) throw invalidForm(`it has more than ${PARTS_MAX} parts`);
    const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? "";
    const name = parameterOf(disposition, "name");
    if (!/^\s*form-data\b/i.test(disposition) || name === undefined) {
      throw invalidForm("a part has no name");
    }
    const filename = parameterOf(disposition, "filename");
    if (filename === undefined) {
      this.#part = { name, pieces: [], bytes: 0, start: this.#at };
      return;
    }
    const contentType = (/^content-type:(.*)$/im.exec(head)?.[1] ?? "").trim();
    const file = { field: name, filename, contentType, head: Buffer.alloc(0) };
    this.#part = { file: { ...file, bytes: 0, whole: false } };
    this.files.push(this.#part.file);
  }

  #keep(bytes: Buffer): void {
    const part = this.#part;
    if (part === undefined) return;
    if ("file" in part) {
      const { file } = part;
      const missing = FILE_HEAD_BYTES - file.head.length;
      if (missing > 0) file.head = Buffer.concat([file.head, bytes.subarray(0, missing)]);
      file.bytes += bytes.length;
      return;
    }
    this.#textBytes += bytes.length;
    if (this.#textBytes > TEXT_BYTES_MAX) {
      throw invalidForm(`its text fields have more than ${TEXT_BYTES_MAX} bytes`);
    }
    part.pieces.push(bytes);
    part.bytes += bytes.length;
  }

  #finish(): void {
    const part = this.#part;
    this.#part = undefined;
    if (part === undefined) return;
    if ("file" in part) {
      part.file.whole = true;
      return;
    }
    const { name, pieces, bytes, start } = part;
    const value = Buffer.concat(pieces, bytes).toString("utf8");
    this.fields.push({ name, value, start, end: start + bytes });
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    this.#at += count;
    return taken;
  }
}

/** The boundary of a content type. Throws 415 if it is no multipart/form-data, 400 without one. */
export function boundaryOf(contentType: string | null): string {
  const [type = "", ...parameters] = (contentType ?? "").split(";");
  if (type.trim().toLowerCase() !== "multipart/form-data") {
    const shown = type.trim().slice(0, 100) || "none";
    const message = `The content type ${shown} is not supported on this route: send \
multipart/form-data.`;
    throw new ApiError("unsupported_media_type", message);
  }
  const boundary = parameterOf(`;${parameters.join(";")}`, "boundary");
  if (boundary !== undefined && /^[\x20-\x7e]{0,69}[\x21-\x7e]$/.test(boundary)) return boundary;
  throw invalidForm("its content type names no boundary");
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/gy;

/** A parameter of a header, quoted or not. Read in order: a quoted value may look like another. */
function parameterOf(header: string, name: string): string | undefined {
  const start = header.indexOf(";");
  if (start < 0) return undefined;
  for (const [, key = "", quoted, plain] of header.slice(start).matchAll(PARAMETER)) {
    if (key.toLowerCase().replace(/\*$/, "") !== name) continue;
    return quoted?.replace(/\\(["\\])/g, "$1") ?? plain;
  }
  return undefined;
}

/** The error for a form that cannot be parsed. */
function invalidForm(reason: string): ApiError {
  const message = `The form could not be read: ${reason}. Send multipart/form-data as RFC 7578 \
describes it.`;
  return new ApiError("invalid_request", message, { code: "invalid_form" });
}
