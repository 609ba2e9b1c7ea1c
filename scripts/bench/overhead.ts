// What a node adds to a whole answer of its engine: the same request to the node, to the least
// that may stand in its place, and to the engine's own socket, in turns: `npm run bench overhead`,
// with `-- --help` for options.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exchange } from "../../src/http/client/exchange.ts";
import { TINY_FILE } from "../../src/testkit/engine.ts";
import { median } from "./rig/load.ts";
import { PROGRAM, startServer } from "./rig/server.ts";

const ADDED_MS_MAX = 0.3;
const MINIMAL_PROXY = join(import.meta.dir, "rig/minimalproxy.ts");
const WARM_UP = 200;
const ARGS = ["--ctx-size", "2048", "--parallel", "1", "--threads", "1"];
const BODY_BYTES_MAX = 1024 * 1024;
const CHAT = "/v1/chat/completions";
const BODY = Buffer.from(
  JSON.stringify({
    model: "bench",
    messages: [{ role: "user", content: "Hello, how are you today?" }],
    max_tokens: 1,
    temperature: 0,
  }),
);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: "string", default: "2000" },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--pairs <number>   requests to each (default 2000)
--program <file>   the node's executable (default: the source)
`);
    return;
  }
  const home = mkdtempSync(join(tmpdir(), "llmlb-"));
  try {
    const program = values.program === undefined ? PROGRAM : [values.program];
    const node = await startServer("the node", (port) => [
      ...[...program, "node", "--home", home, "--log-level", "warn", "--model"],
      ...[`bench=${TINY_FILE}`, "--port", String(port), "--", ...ARGS],
    ]);
    try {
      const unix = socketIn(home);
      const minimal = await startServer("the minimal proxy", (port) => [
        ...[process.execPath, MINIMAL_PROXY, unix, String(port)],
      ]);
      try {
        const urls = { node: node.url, minimal: minimal.url };
        process.stdout.write(await compare(urls, unix, Number(values.pairs)));
      } finally {
        await minimal.stop();
      }
    } finally {
      await node.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The socket of the only engine of a node. */
function socketIn(home: string): string {
  const folder = join(home, "run");
  const [name, ...more] = readdirSync(folder).filter((file) => file.endsWith(".sock"));
  if (name === undefined || more.length > 0) throw new Error(`${folder}: not one engine's socket`);
  return join(folder, name);
}

/** The same request to all of them, in turns: whoever comes first is another one each time. */
async function compare(
  urls: { node: string; minimal: string },
  unix: string,
  pairs: number,
): Promise<string> {
  const asks = [
    () => ask(urls.node + CHAT),
    () => ask(urls.minimal + CHAT),
    () => ask(`http://engine${CHAT}`, unix),
  ];
  const seen: number[][] = asks.map(() => []);
  for (let round = -WARM_UP; round < pairs; round += 1) {
    for (let i = 0; i < asks.length; i += 1) {
      const at = (i + round + WARM_UP) % asks.length;
      const ms = await asks[at]?.();
      if (round >= 0 && ms !== undefined) seen[at]?.push(ms);
    }
  }
  const [node = [], minimal = [], engine = []] = seen;
  const addedBy = (all: number[]) => median(all.map((ms, i) => ms - (engine[i] ?? Number.NaN)));
  const added = addedBy(node);
  const shown = [median(node), median(engine), added, addedBy(minimal)].map((ms) => ms.toFixed(3));
  return `| node, ms | engine, ms | the node adds, ms | a minimal proxy adds, ms |
|---|---|---|---|
| ${shown.join(" | ")} |
At most ${ADDED_MS_MAX} ms: ${added <= ADDED_MS_MAX ? "reached" : "missed"}
`;
}

/** How long a whole answer takes, in ms. */
async function ask(url: string, unix?: string): Promise<number> {
  const beganMs = performance.now();
  const answer = exchange({
    ...{ url, unix, method: "POST", headers: { "content-type": "application/json" } },
    ...{ body: BODY, keepAlive: true },
  });
  const { status } = await answer.head;
  const body = await answer.bytes(BODY_BYTES_MAX);
  if (status !== 200) throw new Error(Buffer.from(body).toString());
  return performance.now() - beganMs;
}

await main();
