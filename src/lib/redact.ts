export interface RedactOptions {
  /** Most bytes kept of a body. Default: 64 KiB. */
  bytesMax?: number;
}

const BYTES_MAX = 64 * 1024;
/** A longer run of base64 characters is no text but an image or audio without a data URL. */
const RUN_MAX = 512;
/** Longest head of a data URL that is recognised. */
const HEAD_MAX = 200;

/** Characters that end a data URL without base64. */
const PLAIN_ENDS = new Uint8Array(256);
for (const end of "\"'<>)\\ \t\r\n") PLAIN_ENDS[end.charCodeAt(0)] = 1;

const BASE64 = new Uint8Array(256);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=";
for (const char of ALPHABET) BASE64[char.charCodeAt(0)] = 1;

const [COMMA, SLASH, BACKSLASH, EQUALS] = [0x2c, 0x2f, 0x5c, 0x3d];

const HEAD = /data:([\w.+-]+\\?\/[\w.+-]+)?((?:;[\w.+-]+=[\w.+-]+)*)(;base64)?,$/i;

/** Binary data that is left out: how it began, and how much of it has passed. */
interface Blob {
  mime: string | undefined;
  isBase64: boolean;
  chars: number;
  padding: number;
  /** The last byte was a backslash. */
  isEscaping: boolean;
}

const NO_CHARS = { chars: 0, padding: 0, isEscaping: false };

/**
 * Keeps the text of a body that passes in pieces, for a log. Data URLs become
 * `data:image/png;<n bytes redacted>`, long runs of bare base64 `<n bytes redacted>`; text beyond
 * `bytesMax` is cut, with a note. Memory stays within `bytesMax`; each byte is read once, and none
 * after the cut.
 */
export class Redactor {
  readonly #bytesMax: number;
  #kept = new Uint8Array(1024);
  #length = 0;
  #totalBytes = 0;
  /** Offset in `#kept` at which the current run of base64 characters begins. */
  #runStart = 0;
  #blob: Blob | undefined;
  #isCut = false;

  constructor({ bytesMax = BYTES_MAX }: RedactOptions = {}) {
    this.#bytesMax = bytesMax;
  }

  /** Reads the next piece; the piece itself is not kept. */
  push(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    let at = 0;
    while (at < bytes.length && !this.#isCut) {
      at = this.#blob === undefined ? this.#text(bytes, at) : this.#skip(bytes, at, this.#blob);
    }
  }

  /** The text that was kept. Ends the body. */
  end(): string {
    this.#endBlob();
    const kept = this.#kept.subarray(0, Math.min(this.#length, this.#bytesMax));
    // With `stream`, a character that was cut in the middle is left out.
    const text = new TextDecoder().decode(kept, { stream: this.#isCut });
    return this.#isCut ? `${text}… [cut: ${this.#totalBytes} bytes in all]` : text;
  }

  /** Copies text up to data that is left out; returns the offset of that data. */
  #text(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length; at += 1) {
      if (this.#length >= this.#bytesMax) {
        this.#isCut = true;
        return at;
      }
      const byte = bytes[at] ?? 0;
      if (this.#length === this.#kept.length) this.#grow();
      this.#kept[this.#length] = byte;
      this.#length += 1;
      if (BASE64[byte] === 1) {
        if (this.#length - this.#runStart <= RUN_MAX) continue;
        this.#beginRun();
        return at + 1;
      }
      this.#runStart = this.#length;
      if (byte === COMMA && this.#beginUrl()) return at + 1;
    }
    return at;
  }

  /** Skips data that is left out; returns the offset at which it, or a part of it, ends. */
  #skip(bytes: Uint8Array, from: number, blob: Blob): number {
    if (blob.isEscaping && bytes[from] !== SLASH) {
      this.#endBlob();
      return from;
    }
    blob.isEscaping = false;
    let at = from;
    if (blob.isBase64) {
      while (at < bytes.length && BASE64[bytes[at] ?? 0] === 1) at += 1;
      let padding = 0;
      while (padding < at - from && bytes[at - 1 - padding] === EQUALS) padding += 1;
      blob.padding = padding + (padding === at - from ? blob.padding : 0);
    } else {
      while (at < bytes.length && PLAIN_ENDS[bytes[at] ?? 0] === 0) at += 1;
    }
    blob.chars += at - from;
    if (at === bytes.length) return at;
    // Some programs write a slash in JSON as `\/`.
    blob.isEscaping = bytes[at] === BACKSLASH;
    if (blob.isEscaping) return at + 1;
    this.#endBlob();
    return at;
  }

  /** Begins to leave out if the comma just kept ends the head of a data URL; false if not. */
  #beginUrl(): boolean {
    const from = Math.max(0, this.#length - HEAD_MAX);
    let colon = this.#length - 2;
    while (colon > from && isHeadByte(this.#kept[colon] ?? 0)) colon -= 1;
    // The `a` of `data` before the colon: most texts are ruled out without making a string.
    if (this.#kept[colon] !== 0x3a || ((this.#kept[colon - 1] ?? 0) | 0x20) !== 0x61) return false;
    const start = Math.max(0, colon - 4);
    const head = HEAD.exec(String.fromCharCode(...this.#kept.subarray(start, this.#length)));
    if (head === null || (head[1] === undefined && head[3] === undefined)) return false;
    this.#length = start + head.index;
    const mime = (head[1] ?? "").replace("\\", "");
    this.#blob = { mime, isBase64: head[3] !== undefined, ...NO_CHARS };
    return true;
  }

  #beginRun(): void {
    const chars = this.#length - this.#runStart;
    this.#length = this.#runStart;
    this.#blob = { mime: undefined, isBase64: true, ...NO_CHARS, chars };
  }

  #endBlob(): void {
    if (this.#blob === undefined) return;
    const { mime, isBase64, chars, padding, isEscaping } = this.#blob;
    this.#blob = undefined;
    const bytes = isBase64 ? Math.floor(((chars - padding) * 3) / 4) : chars;
    const note = `${mime === undefined ? "" : `data:${mime};`}<${bytes} bytes redacted>`;
    const text = isEscaping ? `${note}\\` : note;
    for (const byte of new TextEncoder().encode(text)) {
      if (this.#length === this.#kept.length) this.#grow();
      this.#kept[this.#length] = byte;
      this.#length += 1;
    }
    this.#runStart = this.#length;
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#kept.length);
    larger.set(this.#kept);
    this.#kept = larger;
  }
}

/** Redacts a whole body, as `Redactor` does. */
export function redact(body: Uint8Array | string, options?: RedactOptions): string {
  const redactor = new Redactor(options);
  redactor.push(typeof body === "string" ? new TextEncoder().encode(body) : body);
  return redactor.end();
}

/** Letters, digits and `. + - / \ ; = _`: what may stand between `data:` and the comma. */
function isHeadByte(byte: number): boolean {
  return BASE64[byte] === 1 || byte === 0x2e || byte === 0x3b || byte === BACKSLASH;
}
