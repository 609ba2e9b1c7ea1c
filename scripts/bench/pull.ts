import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Puller } from "../../src/storage/pull/puller.ts";
import type { Artifact } from "../../src/wire/manifest.ts";
import { median } from "./rig/load.ts";

/**
 * How long it takes to fetch a file of 1 GiB over loopback to this disk: curl, which leaves it in
 * memory for the system to write; curl until the file is on the disk (`sync`); the same with
 * `sha256sum`; and a pull, which hashes and syncs. Run as `npm run bench pull`; takes a minute and
 * 3 GiB of the disk. Runs alternate, medians are shown.
 */

const SIZE_BYTES = 1024 ** 3;
const ROUNDS = Number(process.argv[2] ?? 5);

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const source = join(folder, "source");
  const server = Bun.spawn([process.execPath, "-e", SERVER, source], { stdout: "pipe" });
  try {
    const sha256 = writeRandom(source);
    const { value } = await server.stdout.getReader().read();
    const url = `${new TextDecoder().decode(value).trim()}/model.gguf`;
    const names = ["curl, not on disk", "curl", "curl, sha256sum", "pull"] as const;
    const seconds = new Map(names.map((name) => [name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round += 1) {
      const target = join(folder, "curl");
      const curl = await timed(() => run(["curl", "-s", "-o", target, url]));
      const sync = await timed(() => run(["sync", target]));
      const hash = await timed(() => run(["sha256sum", target]));
      rmSync(target);
      seconds.get("curl, not on disk")?.push(curl);
      seconds.get("curl")?.push(curl + sync);
      seconds.get("curl, sha256sum")?.push(curl + sync + hash);
      const root = join(folder, "models");
      seconds.get("pull")?.push(await timed(() => pull(root, url, sha256)));
      rmSync(root, { recursive: true });
    }
    console.log("| 1 GiB over loopback | seconds | MiB/s |\n|---|---|---|");
    for (const [name, values] of seconds) {
      const middle = median(values);
      console.log(`| ${name} | ${middle.toFixed(2)} | ${Math.round(1024 / middle)} |`);
    }
    const ratio = median(seconds.get("curl") ?? []) / median(seconds.get("pull") ?? []);
    console.log(`\nA pull, hash included, has ${ratio.toFixed(2)} of the speed of curl.`);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A server of one file that does ranges, in a process of its own. */
const SERVER = `
const file = Bun.file(process.argv[1]);
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch(request) {
  const asked = /bytes=(\\d+)-(\\d+)/.exec(request.headers.get("range") ?? "");
  if (asked === null) return new Response(file);
  const [start, end] = [Number(asked[1]), Number(asked[2]) + 1];
  const headers = { "content-range": "bytes " + start + "-" + (end - 1) + "/" + file.size };
  return new Response(file.slice(start, end), { status: 206, headers });
} });
console.log(server.url.origin);
`;

/** Writes the file that is fetched; returns its SHA-256. */
function writeRandom(path: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  const block = Buffer.alloc(1024 * 1024);
  const file = openSync(path, "w");
  for (let at = 0; at < SIZE_BYTES; at += block.length) {
    for (let i = 0; i < block.length; i += 65_536) {
      crypto.getRandomValues(block.subarray(i, i + 65_536));
    }
    hash.update(block);
    writeSync(file, block);
  }
  closeSync(file);
  return hash.digest("hex");
}

async function pull(root: string, url: string, sha256: string): Promise<void> {
  const artifact: Artifact = {
    ...{ filename: "model.gguf", format: "gguf", quantization: null, url, sha256, git_oid: null },
    ...{ size_bytes: SIZE_BYTES, priority: 0, runtimes: [], optional: false },
  };
  const manifest = {
    ...{ model: "bench", repo: "bench", revision: "main", format: null, quantization: null },
    ...{ artifacts: [artifact], origin_allowlist: [], peers: [], created_at: "" },
  };
  const puller = new Puller({ root, hubUrl: url, origins: ["*"] });
  const request = { manifest, files: [artifact], quantization: null, placedBy: "user" as const };
  await puller.pull({ ...request, signal: new AbortController().signal }).result;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

async function run(argv: string[]): Promise<void> {
  const child = Bun.spawn(argv, { stdout: "ignore" });
  if ((await child.exited) !== 0) throw new Error(`${argv[0]} failed`);
}

await main();
