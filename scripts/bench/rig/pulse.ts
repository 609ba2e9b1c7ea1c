/**
 * Asks a server for its health again and again, from a process of its own. Run as `bun pulse.ts
 * URL`; for each line that it reads it writes the longest wait since the line before, in ms.
 */

const [url = ""] = process.argv.slice(2);
const GAP_MS = 5;
let longestMs = 0;

async function beat(): Promise<void> {
  for (;;) {
    const startMs = performance.now();
    await fetch(`${url}/health`).then((response) => response.text());
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await Bun.sleep(GAP_MS);
  }
}

beat();
for await (const _ of console) {
  console.log(longestMs.toFixed(1));
  longestMs = 0;
}
process.exit(0);

export {};
