import { ProgressLines, type PullDisplay } from "./pullprogress.ts";

/** A display on stderr: bars on a terminal, else a line every few seconds. */
export async function createPullDisplay(): Promise<PullDisplay> {
  if (process.stderr.isTTY !== true) {
    return new ProgressLines((text) => process.stderr.write(text));
  }
  const { ProgressBars } = await import("./progressbar.ts");
  return new ProgressBars(process.stderr);
}
