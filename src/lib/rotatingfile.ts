import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { LineTarget } from "./lineoutput.ts";

/** How often the file is looked at: somebody else may have moved or removed it. */
const CHECK_MS = 5000;

export interface RotatingFileOptions {
  path: string;
  /** A file that has grown to this size is renamed; one older file is kept. */
  bytesMax: number;
  /** Default: the clock of the system. */
  nowMs?(): number;
}

/**
 * A file for appended lines that never takes more than twice `bytesMax`. It is opened again when it
 * was moved or removed, and on `reopen`.
 */
export class RotatingFile implements LineTarget {
  readonly #options: RotatingFileOptions;
  #descriptor: number | undefined;
  #bytes = 0;
  #checkedAt = 0;

  /** Opens the file, and creates it with its folder. Throws if it cannot. */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#open();
    this.#rotate();
  }

  descriptor(): number | undefined {
    const now = this.#nowMs();
    if (now - this.#checkedAt >= CHECK_MS && !this.#isCurrent()) this.reopen();
    return this.#descriptor;
  }

  wrote(bytes: number): void {
    this.#bytes += bytes;
    this.#rotate();
  }

  /** Closes the file and opens what is under its path now. Never throws: it tries again later. */
  reopen(): void {
    this.#close();
    try {
      this.#open();
    } catch {
      // The folder is gone, or the disk full: the lines of the next seconds are dropped.
    }
  }

  #rotate(): void {
    const { path, bytesMax } = this.#options;
    if (this.#bytes < bytesMax) return;
    try {
      renameSync(path, olderPath(path));
    } catch {
      // It was moved away already; else the next line tries again.
    }
    this.reopen();
  }

  #open(): void {
    const { path } = this.#options;
    this.#checkedAt = this.#nowMs();
    mkdirSync(dirname(path), { recursive: true });
    this.#descriptor = openSync(path, "a");
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #isCurrent(): boolean {
    this.#checkedAt = this.#nowMs();
    if (this.#descriptor === undefined) return false;
    const found = statSync(this.#options.path, { throwIfNoEntry: false });
    return found?.ino === fstatSync(this.#descriptor).ino;
  }

  #nowMs(): number {
    return this.#options.nowMs?.() ?? performance.now();
  }
}

/** Where a file goes when it has grown too large: `logs/llmlb.1.log` of `logs/llmlb.log`. */
export function olderPath(path: string): string {
  return path.endsWith(".log") ? path.replace(/\.log$/, ".1.log") : `${path}.1`;
}
