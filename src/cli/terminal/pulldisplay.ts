import type { PullProgress } from "../../wire/pull.ts";
import { ProgressLines, type PullDisplay } from "./pullprogress.ts";

/** A display on stderr: bars on a terminal, else a line every few seconds. */
export async function createPullDisplay(): Promise<PullDisplay> {
  if (process.stderr.isTTY !== true) {
    return new ProgressLines((text) => process.stderr.write(text));
  }
  const { ProgressBars } = await import("./progressbar.ts");
  return new ProgressBars(process.stderr);
}

/** Shows the progress of a pull until it ends; returns the last one. */
export async function showProgress(
  snapshots: AsyncIterable<PullProgress>,
  display: PullDisplay,
): Promise<PullProgress> {
  let last: PullProgress | undefined;
  try {
    for await (const now of snapshots) {
      display.show(now);
      last = now;
    }
  } finally {
    display.end();
  }
  if (last === undefined) throw new Error("a pull reported no progress");
  return last;
}
