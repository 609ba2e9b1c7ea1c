/** A piece of a file: from byte `start` to before byte `end`. */
export type Range = [start: number, end: number];

/** A set of bytes of a file, kept as ranges in order that do not touch. */
export class Ranges {
  #list: Range[] = [];

  constructor(ranges: Iterable<Range> = []) {
    for (const [start, end] of ranges) this.add(start, end);
  }

  /** How many bytes are in the set. */
  get bytes(): number {
    return this.#list.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    const list: Range[] = [];
    let [from, to] = [start, end];
    for (const range of this.#list) {
      if (range[1] < from || range[0] > to) {
        list.push(range);
        continue;
      }
      from = Math.min(from, range[0]);
      to = Math.max(to, range[1]);
    }
    list.push([from, to]);
    list.sort((a, b) => a[0] - b[0]);
    this.#list = list;
  }

  /** Where the first gap behind `start` begins; `start` itself if that byte is missing. */
  reach(start: number): number {
    return this.#list.find(([from, to]) => from <= start && start < to)?.[1] ?? start;
  }

  /** The ranges that are missing in a file of `size` bytes. */
  gaps(size: number): Range[] {
    const gaps: Range[] = [];
    let at = 0;
    for (const [start, end] of this.#list) {
      if (start >= size) break;
      if (start > at) gaps.push([at, start]);
      at = end;
    }
    if (at < size) gaps.push([at, size]);
    return gaps;
  }

  clear(): void {
    this.#list = [];
  }

  toJSON(): Range[] {
    return this.#list;
  }
}
