import { JsonFault } from "./jsonfault.ts";

/** An object or list that has begun and not ended. */
interface Frame {
  readonly isList: boolean;
  /** The offset of its bracket. */
  readonly start: number;
  /** The offset of its first child that is not in `made`. */
  from: number;
  /** The offset of its last child, with its name. */
  childFrom: number;
  /** It, with the children that were read; undefined: it is read in one piece with others. */
  made: unknown[] | Record<string, unknown> | undefined;
  /** The last child has been put into `made` already. */
  hasChild: boolean;
  /** The last child has its name. */
  isNamed: boolean;
  /** Items of a list in `made`, and those that were not kept. */
  length: number;
}

/** How slices are read: those with fields of the whole object, and those further in. */
interface SliceParsers {
  top(text: string): unknown;
  part(text: string): unknown;
}

/** Strict: also in the middle of a text there may be a byte order mark. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const BLANK = /^[ \t\n\r]*$/;

/**
 * Puts a JSON object together of slices. It is told the structure: brackets, commas, colons and
 * ends of strings, by their offsets. What lies between two commas of one frame is parsed
 * as a list or object of its own; so nothing passes that is not JSON as a whole.
 */
export class JsonBuilder {
  readonly #bytes: Buffer;
  readonly #parsers: SliceParsers;
  readonly #listMax: number;
  readonly #frames: Frame[] = [];
  #root: object | undefined;
  /** Parts of a string that has not ended, and where the next one begins. */
  #parts: string[] = [];
  #partFrom = 0;
  /** The name of the child that is read in several pieces. */
  #name: string | undefined;
  /** Where that begins which is in no slice yet. */
  pendingFrom = 0;

  /** The length of the longest list of which not all items were kept; 0: there is none. */
  longestList = 0;

  constructor(bytes: Buffer, parsers: SliceParsers, listMax = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes;
    this.#parsers = parsers;
    this.#listMax = listMax;
  }

  get depth(): number {
    return this.#frames.length;
  }

  /** Whether the next string is the name of a field. */
  get isAtName(): boolean {
    const frame = this.#frames.at(-1);
    return frame !== undefined && !frame.isList && !frame.isNamed;
  }

  /** Throws while there is none. */
  get root(): object {
    if (this.#root === undefined) throw new Error("The object has not been read to its end.");
    return this.#root;
  }

  open(at: number, isList: boolean): void {
    const inside = { from: at + 1, childFrom: at + 1, made: undefined };
    const nothing = { hasChild: false, isNamed: false, length: 0 };
    this.#frames.push({ isList, start: at, ...inside, ...nothing });
  }

  /** A colon: what comes is a value. */
  named(): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.isNamed = true;
  }

  /** A comma at `at`. `isSlice`: what came before it is to be read now. */
  comma(at: number, isSlice: boolean): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    frame.isNamed = false;
    if (isSlice || frame.hasChild) {
      this.#makeFrames();
      this.#take(frame, at);
      frame.from = at + 1;
      this.pendingFrom = at + 1;
    }
    frame.childFrom = at + 1;
  }

  close(at: number, isList: boolean): void {
    const frame = this.#frames.pop();
    if (frame?.isList !== isList) throw new JsonFault("syntax");
    const parent = this.#frames.at(-1);
    if (frame.made !== undefined) {
      this.#take(frame, at);
      this.pendingFrom = at + 1;
      if (parent === undefined) this.#root = frame.made;
      else parent.from = at + 1;
    } else if (parent === undefined) {
      this.#root = this.#read(frame.start, at + 1, "", "", true);
    }
  }

  /** A string that is too long to be read at once: its part up to `at`, plain without escapes. */
  stringPart({ start, at, isPlain }: { start: number; at: number; isPlain: boolean }): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    if (this.#parts.length === 0) {
      this.#makeFrames();
      this.#takeUpTo(frame, frame.childFrom);
      this.#head(frame, start);
      this.#partFrom = start + 1;
    }
    this.#part(at, isPlain);
  }

  /** The end of a string, behind its quote; whether its last part is plain. */
  stringEnded(at: number, isPlain: boolean): void {
    const frame = this.#frames.at(-1);
    if (this.#parts.length === 0 || frame === undefined) return;
    this.#part(at - 1, isPlain);
    this.#add(frame, this.#name, this.#parts.join(""));
    this.#parts = [];
    frame.from = at;
    this.pendingFrom = at;
  }

  /** The string that stands at these offsets, with its quotes. */
  text(start: number, end: number): unknown {
    return this.#read(start, end, "", "", false);
  }

  /** Throws if anything but white space stands there. */
  requireBlank(from: number, to: number): void {
    if (!BLANK.test(this.#bytes.toString("latin1", from, to))) throw new JsonFault("syntax");
  }

  /** Begins to make all frames that are open, with the children in front of the open ones. */
  #makeFrames(): void {
    for (const [i, frame] of this.#frames.entries()) {
      frame.made ??= frame.isList ? [] : {};
      const child = this.#frames[i + 1];
      if (child === undefined || child.made !== undefined) continue;
      this.#takeUpTo(frame, frame.childFrom);
      this.#head(frame, child.start);
      child.made = child.isList ? [] : {};
      this.#add(frame, this.#name, child.made);
    }
  }

  /** Reads the children in front of the one at `childFrom`, unless there are none. */
  #takeUpTo(frame: Frame, childFrom: number): void {
    if (frame.from < childFrom) this.#take(frame, childFrom - 1);
  }

  /** Reads the children up to `end`, where a comma or the frame's own bracket stands. */
  #take(frame: Frame, end: number): void {
    if (frame.hasChild) {
      this.requireBlank(frame.from, end);
      frame.hasChild = false;
      return;
    }
    const [open, close] = frame.isList ? ["[", "]"] : ["{", "}"];
    // The object itself is on the stack no more when its last children are read.
    const isTop = (this.#frames[0] ?? frame) === frame;
    const read = this.#read(frame.from, end, open, close, isTop);
    if (!this.#fill(frame, read)) throw new JsonFault("syntax");
  }

  /** What stands in front of a child that begins at `start` and is read in pieces: its name. */
  #head(frame: Frame, start: number): void {
    frame.hasChild = true;
    this.#name = undefined;
    if (frame.isList) this.requireBlank(frame.childFrom, start);
    else [this.#name] = Object.keys(this.#read(frame.childFrom, start, "{", "null}", false));
  }

  #part(at: number, isPlain: boolean): void {
    const text = isPlain
      ? this.#decode(this.#partFrom, at)
      : String(this.#read(this.#partFrom, at, '"', '"', false));
    this.#parts.push(text);
    this.#partFrom = at;
  }

  #decode(from: number, to: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(from, to));
    } catch (cause) {
      throw new JsonFault("encoding", cause);
    }
  }

  #read(from: number, to: number, before: string, after: string, isTop: boolean): object {
    const text = this.#decode(from, to);
    try {
      const { top, part } = this.#parsers;
      return (isTop ? top : part)(before + text + after) as object;
    } catch (cause) {
      throw cause instanceof JsonFault ? cause : new JsonFault("syntax", cause);
    }
  }

  /** Adds the children of a slice; false if there are none. */
  #fill(frame: Frame, children: object): boolean {
    if (Array.isArray(children)) {
      for (const child of children) this.#add(frame, undefined, child);
      return children.length > 0;
    }
    const names = Object.keys(children);
    for (const name of names) this.#add(frame, name, Reflect.get(children, name));
    return names.length > 0;
  }

  #add(frame: Frame, name: string | undefined, value: unknown): void {
    const { made } = frame;
    if (Array.isArray(made)) {
      frame.length += 1;
      if (frame.length <= this.#listMax) made.push(value);
      else this.longestList = Math.max(this.longestList, frame.length);
    } else if (made === undefined || name === undefined) return;
    else if (name === "__proto__") {
      // An assignment would set the prototype.
      const own = { value, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(made, name, own);
    } else made[name] = value;
  }
}
