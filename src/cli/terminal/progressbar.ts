import { type GenericFormatter, MultiBar, type SingleBar } from "cli-progress";
import { formatBytes, formatDuration } from "../../config/units.ts";
import type { PullProgress, PullState } from "../../wire/pull.ts";
import { printable } from "./output.ts";
import type { PullDisplay } from "./pullprogress.ts";
import { TransferRate } from "./transferrate.ts";

/** Bars on the screen; more would not fit on a small terminal. */
const FILES_MAX = 6;
const NAME_CHARS = 30;

/** What a bar shows beside its length. */
interface BarPayload {
  name: string;
  note: string;
}

interface FileBar {
  bar: SingleBar;
  rate: TransferRate;
  bytes: number;
  /** The download has ended. */
  ended: boolean;
}

/** Shows progress as bars: one for each file and, if there are several, one for all of them. */
export class ProgressBars implements PullDisplay {
  readonly #bars: MultiBar;
  readonly #files = new Map<string, FileBar>();
  readonly #nowMs: () => number;
  #total: SingleBar | undefined;

  constructor(stream: NodeJS.WritableStream, nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#bars = new MultiBar({
      ...{ stream, format: line, forceRedraw: true, hideCursor: true, emptyOnZero: true },
      ...{ barCompleteChar: "█", barIncompleteChar: "░", gracefulExit: false },
    });
  }

  show(now: PullProgress): void {
    if (now.files.length > 1 && now.state !== "failed") {
      const rate = { perSecond: now.rate_bytes_per_s, etaS: now.eta_s };
      const total = now.total_bytes;
      const payload = payloadOf("all files", now, rate);
      this.#total ??= this.#bars.create(total, now.bytes, payload);
      this.#total.setTotal(total);
      this.#total.update(now.bytes, payload);
    }
    for (const file of now.files) this.#showFile(file);
  }

  end(): void {
    this.#bars.update();
    this.#bars.stop();
  }

  #showFile(file: PullProgress["files"][number]): void {
    const { name, state, bytes } = file;
    const ended = state === "done" || state === "failed";
    const fileBar = this.#files.get(name) ?? (ended ? undefined : this.#addFile(file));
    if (fileBar === undefined) return;
    fileBar.rate.at(bytes, this.#nowMs());
    fileBar.ended = ended;
    if (state === "failed") {
      // Still shows the bytes so far: they may be kept.
      fileBar.bar.update(
        payloadOf(name, { ...file, bytes: fileBar.bytes }, { perSecond: 0, etaS: null }),
      );
      return;
    }
    fileBar.bytes = bytes;
    const perSecond = state === "downloading" ? fileBar.rate.perSecond() : 0;
    const left = (file.total_bytes ?? bytes) - bytes;
    const etaS = perSecond > 0 ? Math.ceil(left / perSecond) : null;
    fileBar.bar.setTotal(file.total_bytes ?? bytes);
    fileBar.bar.update(bytes, payloadOf(name, file, { perSecond, etaS }));
  }

  /** Adds a bar for a file; undefined if files that are still downloading use all places. */
  #addFile({ name, state, bytes, total_bytes: total }: PullProgress["files"][number]) {
    if (state === "waiting" && this.#files.size > 0) return undefined;
    if (this.#files.size >= FILES_MAX) {
      const past = [...this.#files].find(([, { ended }]) => ended);
      if (past === undefined) return undefined;
      this.#bars.remove(past[1].bar);
      this.#files.delete(past[0]);
    }
    const bar = this.#bars.create(total ?? bytes, bytes, { name, note: "" });
    const added = { bar, rate: new TransferRate(), bytes, ended: false };
    this.#files.set(name, added);
    return added;
  }
}

const NOTES: Partial<Record<PullState, string>> = {
  waiting: "waiting",
  verifying: "checking",
  done: "done",
  failed: "failed",
};

function payloadOf(
  name: string,
  { state, bytes, total_bytes: total }: PullProgress["files"][number] | PullProgress,
  { perSecond, etaS }: { perSecond: number; etaS: number | null },
): BarPayload {
  const size =
    total === null ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}`;
  const rate = perSecond > 0 ? `${formatBytes(Math.round(perSecond))}/s` : "";
  const eta = etaS === null || perSecond <= 0 ? "" : `${formatDuration(etaS * 1000)} left`;
  const note = NOTES[state];
  const parts = [size, ...(note === undefined ? [rate, eta] : [note])];
  return { name: shortened(printable(name)), note: parts.filter((part) => part !== "").join(", ") };
}

/** A name with its middle cut out: its end has the quantization and the part number. */
function shortened(name: string): string {
  if (name.length <= NAME_CHARS) return name.padEnd(NAME_CHARS);
  return `${name.slice(0, 9)}…${name.slice(10 - NAME_CHARS)}`;
}

const line: GenericFormatter = (options, { progress, maxWidth }, { name, note }: BarPayload) => {
  // 52 columns for what follows the bar.
  const width = Math.max(0, Math.min(options.barsize ?? 40, maxWidth - NAME_CHARS - 52));
  const done = Math.round(Math.min(1, progress) * width);
  const bar = (options.barCompleteChar ?? "#").repeat(done);
  const rest = (options.barIncompleteChar ?? "-").repeat(width - done);
  const percent = `${Math.floor(Math.min(1, progress) * 100)}`.padStart(3);
  return `${name} ${bar}${rest} ${percent} %  ${note}`;
};
