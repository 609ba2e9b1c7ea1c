import { type FileHandle, open } from "node:fs/promises";
import { type LogEntry, type LogFilter, matchesLog, parseLogEntry } from "./logentry.ts";
import { olderPath } from "./rotatingfile.ts";

export interface OlderLines {
  filter: LogFilter;
  /** Most entries. */
  max: number;
  /** The text of the line before which they are to be; undefined: up to the end of the file. */
  before?: string | undefined;
}

const CHUNK_BYTES = 64 * 1024;
/** Most bytes that are read for one question, of both files together. */
const READ_BYTES_MAX = 16 * 2 ** 20;
/** A longer line is no line of a log. */
const LINE_BYTES_MAX = 2 ** 20;
const NEWLINE = 10;

/**
 * The last lines of a log's file, and of the older one beside it, that are wanted; oldest first. Of
 * lines as old as `before` or younger, only those that stand before it in the file are taken. Reads
 * 16 MiB at most. A file that is not there has no lines.
 */
export async function readOlderLines(path: string, options: OlderLines): Promise<LogEntry[]> {
  const search = new Search(options);
  let leftBytes = READ_BYTES_MAX;
  for (const file of [path, olderPath(path)]) {
    const handle = await open(file).catch(() => undefined);
    if (handle === undefined) continue;
    try {
      leftBytes -= await searchBackward(handle, search, leftBytes);
    } finally {
      await handle.close();
    }
    if (search.isOver || leftBytes <= 0) break;
  }
  return search.found.reverse();
}

/** Goes through lines from the last to the first. */
class Search {
  readonly found: LogEntry[] = [];
  readonly #options: OlderLines;
  /** When the line was written before which all are to be, Unix ms; undefined: it was passed. */
  #boundMs: number | undefined;
  #isOver = false;

  constructor(options: OlderLines) {
    this.#options = options;
    const { before } = options;
    const bound = before === undefined ? undefined : parseLogEntry(before);
    this.#boundMs = bound && Date.parse(bound.timestamp);
  }

  get isOver(): boolean {
    return this.#isOver || this.found.length >= this.#options.max;
  }

  take(line: string): void {
    const { before, filter } = this.#options;
    if (line === before) {
      this.#boundMs = undefined;
      return;
    }
    const entry = parseLogEntry(line);
    if (entry === undefined) return;
    const atMs = Date.parse(entry.timestamp);
    if (this.#boundMs !== undefined && atMs >= this.#boundMs) return;
    if (filter.sinceMs !== undefined && atMs < filter.sinceMs) this.#isOver = true;
    else if (matchesLog(line, entry, filter)) this.found.push(entry);
  }
}

/** Gives a file's lines to a search, the last one first. Returns how many bytes were read. */
async function searchBackward(
  handle: FileHandle,
  search: Search,
  bytesMax: number,
): Promise<number> {
  let end = (await handle.stat()).size;
  let readBytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  while (end > 0 && readBytes < bytesMax && !search.isOver) {
    const length = Math.min(CHUNK_BYTES, end);
    const chunk = Buffer.alloc(length);
    const { bytesRead } = await handle.read(chunk, 0, length, end - length);
    if (bytesRead < length) break; // Somebody has made it shorter.
    end -= length;
    readBytes += length;
    const bytes = Buffer.concat([chunk, rest]);
    // Its first line may begin further up.
    const cut = end === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    rest = end > 0 && cut === 0 ? bytes : bytes.subarray(0, cut);
    if (rest.length > LINE_BYTES_MAX) rest = Buffer.alloc(0);
    if (end > 0 && cut === 0) continue;
    const lines = bytes.toString("utf8", cut).split("\n");
    for (let i = lines.length - 1; i >= 0 && !search.isOver; i -= 1) {
      if (lines[i] !== "") search.take(lines[i] ?? "");
    }
  }
  return readBytes;
}
