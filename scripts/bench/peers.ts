import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../src/testkit/freeport.ts";
import { type PinnedProcess, startPinned } from "./rig/pinned.ts";
import {
  printThroughput,
  requireTools,
  startBalancer,
  startUpstream,
  TARGET_CORE,
  type Target,
  throughput,
} from "./rig/throughput.ts";

/**
 * The balancer beside the Portkey gateway, another one in JavaScript: requests per second and
 * processor time per request before the same trivial upstream, on one core each. Run as
 * `npm run bench peers`; takes about a minute and installs the gateway into a temporary folder.
 */

const PACKAGE = "@portkey-ai/gateway";
const VERSION = "1.15.2";

async function main(): Promise<void> {
  requireTools("wrk", "taskset", "npm", "node");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const script = install(folder);
    const upstream = await startUpstream("upstream.ts");
    started.push(upstream);
    const portkey = await startPortkey(script);
    started.push(portkey);
    const llmlb = await startBalancer([upstream.url], folder);
    started.push(llmlb);
    const headers = {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `${upstream.url}/v1`,
      authorization: "Bearer none",
    };
    const targets: Target[] = [
      { name: `Portkey ${VERSION}`, server: portkey, headers },
      { name: "llmlb", server: llmlb },
    ];
    const before = loadavg()[0] ?? 0;
    printThroughput(await throughput(targets, folder));
    console.log(`\nLoad average before: ${before.toFixed(2)}`);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Installs the gateway; returns the script that starts it. Throws with what npm said. */
function install(folder: string): string {
  const prefix = join(folder, "portkey");
  mkdirSync(prefix);
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save"];
  const argv = ["npm", "install", "--prefix", prefix, ...flags, `${PACKAGE}@${VERSION}`];
  const { success, stderr } = Bun.spawnSync(argv, { cwd: prefix });
  if (!success) throw new Error(`installing ${PACKAGE} failed: ${stderr.toString()}`);
  return join(prefix, "node_modules", PACKAGE, "build", "start-server.js");
}

async function startPortkey(script: string): Promise<PinnedProcess> {
  const port = freePort();
  return startPinned({
    argv: ["node", script, `--port=${port}`, "--headless"],
    core: TARGET_CORE,
    port,
    env: { NODE_ENV: "production" },
    probe: "/",
  });
}

await main();
