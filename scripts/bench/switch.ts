// How long a node takes from a request for a model that is not loaded, with room for one, to the
// first byte of its answer: two models take turns. Beside it llama-server, from its start with the
// same model to the first byte: `npm run bench switch`, with `-- --help` for options. The files are
// in the page cache.

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "../../src/testkit/freeport.ts";
import { median, spread, streamRound } from "./rig/load.ts";
import { parametersOf, writeRandomModel } from "./rig/model.ts";
import { buildLlamaServer } from "./rig/reference.ts";
import { PROGRAM, startServer } from "./rig/server.ts";

/** llama-server's load may take this much longer. */
const RATIO_MAX = 1.2;
const RETRY_MS = 2;
const START_MS_MAX = 60_000;
const NAMES = ["bench", "other"];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "10" },
      size: { type: "string", default: "300MB" },
      threads: { type: "string", default: String(Math.max(1, availableParallelism() >> 1)) },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--rounds <number>   switches, and starts of llama-server (default 10)
--size <size>       size of both models (default 300MB)
--threads <number>  threads that compute (default half of the processor's)
--program <file>    the node's executable (default: the source)
`);
    return;
  }
  const args = ["--ctx-size", "4096", "--parallel", "4", "--threads", values.threads];
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  try {
    const models = NAMES.map((name, seed) => {
      const path = join(folder, `${name}.gguf`);
      const parameters = parametersOf(values.size, "q8_0");
      writeRandomModel({ path, parameters, type: "q8_0", seed });
      return { name, path };
    });
    const reference = await buildLlamaServer();
    const program = values.program === undefined ? PROGRAM : [values.program];
    const node = await startServer("the node", (port) => [
      ...[...program, "node", "--home", folder, "--log-level", "warn", "--models-max", "1"],
      ...models.flatMap(({ name, path }) => ["--model", `${name}=${path}`]),
      ...["--port", String(port), "--", ...args],
    ]);
    try {
      const pairs: { node: number; reference: number }[] = [];
      for (let round = -1; round < Number(values.rounds); round += 1) {
        const model = models[Math.abs(round) % models.length] ?? { name: "", path: "" };
        const seen = {
          node: await firstByteMs(node.url, model.name),
          reference: await startMs([reference, "--model", model.path, "--alias", "bench", ...args]),
        };
        if (round >= 0) pairs.push(seen); // the first ones fill the caches
      }
      process.stdout.write(table(pairs));
    } finally {
      await node.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From a request to the first byte of its answer, in ms. */
async function firstByteMs(url: string, model: string): Promise<number> {
  const load = { url, model, prompt: "Hi", clients: 1, requests: 1, maxTokens: 1 };
  const { firstByteMs: times } = await streamRound(load);
  return times[0] ?? Number.NaN;
}

/** From the start of llama-server to the first byte of its first answer. */
async function startMs(command: string[]): Promise<number> {
  const port = freePort();
  const beganMs = performance.now();
  const child = Bun.spawn([...command, "--port", String(port), "--log-verbosity", "2"], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    while (performance.now() - beganMs < START_MS_MAX) {
      const askedMs = performance.now();
      const answerMs = await firstByteMs(url, "bench").catch(() => undefined);
      if (answerMs !== undefined) return askedMs - beganMs + answerMs;
      await Bun.sleep(RETRY_MS);
    }
    throw new Error(`Starting ${command[0]}: it does not answer.`);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

function table(pairs: { node: number; reference: number }[]): string {
  const ratios = pairs.map(({ node, reference }) => node / reference);
  const ratio = median(ratios);
  const middle = (of: "node" | "reference") => median(pairs.map((pair) => pair[of])).toFixed(0);
  return `| switch of a node, ms | start of llama-server, ms | ratio (rounds: range) |
|---|---|---|
| ${middle("node")} | ${middle("reference")} | ${spread(ratios)} |
At most ${RATIO_MAX}: ${ratio <= RATIO_MAX ? "reached" : "missed"}
`;
}

await main();
