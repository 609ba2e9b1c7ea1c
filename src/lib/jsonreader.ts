import { readExactJson, readExactPart } from "./json.ts";
import { JsonBuilder } from "./jsonbuilder.ts";
import { JsonFault } from "./jsonfault.ts";

export interface JsonLimits {
  /** Deepest nesting. */
  depthMax: number;
  /** Most integers beyond 2^53: each is an object, for its digits. */
  exactMax: number;
  /** Most texts, names of fields, objects and lists. */
  itemsMax: number;
  /** Most values in all, numbers and words too. */
  valuesMax: number;
  /** Longest name of a field, as it is written, and longest number or white space. */
  tokenBytesMax: number;
  /** Bytes that are parsed at once. Default: 64 KiB. */
  sliceBytes?: number;
  /** Of a list that is read in slices only so many items are kept. Default: all. */
  listMax?: number;
  /** A list may stand where an object is wanted. Default: false. */
  mayBeList?: boolean;
}

const SLICE_BYTES = 64 * 1024;
/** Slices of a text without escapes, which only has to be decoded, may be larger. */
const PLAIN_SLICES = 256;

const [QUOTE, BACKSLASH, COLON, COMMA, U] = [0x22, 0x5c, 0x3a, 0x2c, 0x75];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const SPACE = 0x20;
const SPACES = new Set([SPACE, 0x09, 0x0a, 0x0d]);

/**
 * Reads a JSON object of any size a slice at a time, so that other work can go on in between. It
 * takes what `JSON.parse` takes, and makes the same of it, but for integers beyond 2^53 below the
 * top, which keep their digits (`readExactJson`). One pass finds the structure; `JSON.parse` reads
 * what lies between two of its marks as soon as that is a slice.
 *
 * `step` throws `JsonFault` for what is not UTF-8, not JSON, no object, or beyond a limit.
 */
export class JsonReader {
  readonly #bytes: Buffer;
  readonly #limits: JsonLimits;
  readonly #sliceBytes: number;
  readonly #builder: JsonBuilder;
  readonly #counts: Map<string, number>;
  #at = 0;
  #items = 0;
  #values = 0;
  #exact = 0;
  /** The last string: whether it has not ended, where it began, whether escapes are in it. */
  #isInString = false;
  #stringStart = 0;
  #hasEscape = false;
  #stringEnd = 0;
  /** Where its part begins that is in no slice yet, and whether that has no escapes. */
  #partStart = 0;
  #isPlain = true;
  #isDone = false;

  /** `counted`: fields of the object of which is counted how often they are given. */
  constructor(bytes: Uint8Array, limits: JsonLimits, counted: readonly string[] = []) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
    this.#sliceBytes = limits.sliceBytes ?? SLICE_BYTES;
    const count = () => this.#countExact();
    const parsers = {
      top: (text: string) => readExactJson(text, count),
      part: (text: string) => readExactPart(text, count),
    };
    this.#builder = new JsonBuilder(this.#bytes, parsers, limits.listMax);
    this.#counts = new Map(counted.map((name) => [name, 0]));
  }

  /** Reads one slice; true: all has been read. */
  step(): boolean {
    if (this.#builder.depth === 0 && !this.#isDone) this.#open();
    const end = Math.min(this.#bytes.length, this.#at + this.#sliceBytes);
    this.#scan(end);
    if (this.#isDone) return true;
    if (this.#at >= this.#bytes.length) throw new JsonFault("syntax");
    if (this.#isInString) return false;
    const unreadBytes = this.#at - this.#builder.pendingFrom - this.#sliceBytes;
    if (unreadBytes > this.#limits.tokenBytesMax) throw new JsonFault("token");
    return false;
  }

  /** The object, once all has been read. */
  get value(): object {
    return this.#builder.root;
  }

  /** The length of the longest list of which not all items were kept; 0: there is none. */
  get longestList(): number {
    return this.#builder.longestList;
  }

  /** The first of the counted fields that is given more than once. */
  get repeated(): string | undefined {
    for (const [name, count] of this.#counts) if (count > 1) return name;
    return undefined;
  }

  /** The object's own bracket, before which only white space may stand. */
  #open(): void {
    const bytes = this.#bytes;
    while (SPACES.has(bytes[this.#at] ?? 0)) this.#at += 1;
    const isList = bytes[this.#at] === OPEN_LIST && this.#limits.mayBeList === true;
    if (bytes[this.#at] !== OPEN && !isList) throw new JsonFault("no_object");
    this.#push(isList);
  }

  #scan(end: number): void {
    const bytes = this.#bytes;
    const builder = this.#builder;
    while (this.#at < end && !this.#isDone) {
      if (this.#isInString) {
        this.#string(end);
        continue;
      }
      switch (bytes[this.#at]) {
        case QUOTE:
          this.#count();
          this.#isInString = true;
          this.#hasEscape = false;
          this.#stringStart = this.#at;
          this.#partStart = this.#at;
          this.#isPlain = true;
          break;
        case OPEN:
        case OPEN_LIST:
          this.#push(bytes[this.#at] === OPEN_LIST);
          continue;
        case CLOSE:
        case CLOSE_LIST:
          this.#close(bytes[this.#at] === CLOSE_LIST);
          break;
        case COLON:
          builder.named();
          if (builder.depth === 1) this.#countField();
          break;
        case COMMA:
          this.#values += 1;
          if (this.#values >= this.#limits.valuesMax) throw new JsonFault("items");
          builder.comma(this.#at, this.#at - builder.pendingFrom >= this.#sliceBytes);
          break;
      }
      this.#at += 1;
    }
  }

  #push(isList: boolean): void {
    if (this.#builder.depth === this.#limits.depthMax) throw new JsonFault("depth");
    this.#count();
    this.#builder.open(this.#at, isList);
    this.#at += 1;
  }

  #close(isList: boolean): void {
    this.#builder.close(this.#at, isList);
    if (this.#builder.depth > 0) return;
    this.#isDone = true;
    this.#builder.requireBlank(this.#at + 1, this.#bytes.length);
  }

  /** Goes on within a string: to its end, or to `end`. */
  #string(end: number): void {
    const bytes = this.#bytes;
    let at = this.#at === this.#stringStart ? this.#at + 1 : this.#at;
    for (; at < end; at += 1) {
      const byte = bytes[at];
      if (byte === BACKSLASH) {
        this.#hasEscape = true;
        at += bytes[at + 1] === U ? 5 : 1;
        this.#isPlain = false;
      } else if (byte === QUOTE) {
        this.#at = at + 1;
        this.#isInString = false;
        this.#stringEnd = this.#at;
        this.#builder.stringEnded(this.#at, this.#isPlain);
        return;
      } else if (byte !== undefined && byte < SPACE) throw new JsonFault("syntax");
    }
    // Not within a character of several bytes.
    while (((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1;
    this.#at = at;
    if (!this.#builder.isAtName) this.#part(at);
    else if (at - this.#stringStart > this.#limits.tokenBytesMax) throw new JsonFault("token");
  }

  /** Takes what has come of the string, if it is a slice. */
  #part(at: number): void {
    const slices = this.#isPlain ? PLAIN_SLICES : 1;
    if (at - this.#partStart < this.#sliceBytes * slices) return;
    this.#builder.stringPart({ start: this.#stringStart, at, isPlain: this.#isPlain });
    this.#partStart = at;
    this.#isPlain = true;
  }

  #count(): void {
    this.#items += 1;
    if (this.#items > this.#limits.itemsMax) throw new JsonFault("items");
  }

  #countExact(): void {
    this.#exact += 1;
    if (this.#exact > this.#limits.exactMax) throw new JsonFault("items");
  }

  /** The last string is the name of one of the object's own fields. */
  #countField(): void {
    const [start, end] = [this.#stringStart, this.#stringEnd];
    for (const [name, count] of this.#counts) {
      const length = end - start - 2;
      const mayBe = this.#hasEscape ? length <= 6 * name.length : length === name.length;
      if (mayBe && this.#builder.text(start, end) === name) this.#counts.set(name, count + 1);
    }
  }
}
