import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "../../storage/filelock.ts";
import { runProgram, temporaryHome } from "../../testkit/command.ts";
import { type Hub, startHub } from "../../testkit/servers/hub/hub.ts";
import { lowercaseRepo, tinyRepo, variantsRepo } from "../../testkit/servers/hub/samples.ts";
import type { NodeModel } from "../../wire/system.ts";
import { writePidFile } from "../process/pidfile.ts";

const REPO = "acme/Llama-3-8B-GGUF";
const ID = `hf/${REPO}`;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await hub.add(variantsRepo());
  await hub.add({ ...tinyRepo("acme/gated-GGUF"), gated: "auto", allowed: ["hf_ok"] });
});
afterAll(() => hub[Symbol.asyncDispose]());

type Home = ReturnType<typeof temporaryHome>;

function llmlb(home: Home, args: string[], env: Record<string, string> = {}) {
  return runProgram(args, { home: home.path, env: { HF_ENDPOINT: hub.url, ...env } });
}

/** A node that runs from a home, as far as commands can tell. */
function fakeNode(home: Home, models: NodeModel[]): Disposable {
  const system = {
    device: { device_type: "cpu", gpu_devices: [] },
    ...{ devices: [], llmlb_version: "1", bun_version: "1", llama_cpp_version: "v0" },
    ...{ slots: { total: 4, busy: 0 }, models },
  };
  const routes = { "/api/system": () => Response.json(system) };
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1", routes },
    fetch: () => Response.json({ error: { message: "no such route" } }, { status: 404 }),
  });
  const { port = 0 } = server;
  const started = new Date().toISOString();
  const entry = { pid: process.pid, started_at: started, port, url: server.url.origin };
  const file = writePidFile(home.path, { ...entry, mode: "node" });
  return {
    [Symbol.dispose]: () => {
      file.remove();
      void server.stop(true);
    },
  };
}

test("a model is pulled, listed and removed, one quantization after the other", async () => {
  using home = temporaryHome();
  const folder = join(home.path, "models/hf/acme/llama-3-8b-gguf");
  const first = await llmlb(home, ["pull", `${REPO}:Q4_K_M`]);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).toBe(`${ID}:Q4_K_M is here: 4.4 KiB in ${folder}\n`);
  expect(first.stderr).toContain(`Talk with it:  llmlb chat --model ${ID}`);
  const again = await llmlb(home, ["pull", `${hub.url}/${REPO}:Q4_K_M`]);
  expect(again.stdout).toContain("is here already");
  expect(await llmlb(home, ["pull", `${ID}:q8_0`])).toMatchObject({ code: 0 });

  const { stdout } = await llmlb(home, ["list"]);
  expect(stdout).toMatch(new RegExp(`^${ID} +Q8_0 +8.3 KiB +just now +-$`, "m"));
  expect(stdout).toMatch(new RegExp(`^${ID}:Q4_K_M +Q4_K_M +4.4 KiB +just now +-$`, "m"));

  const removed = await llmlb(home, ["rm", `${REPO}:Q8_0`]);
  expect(removed).toEqual({ code: 0, stdout: `Removed ${ID}:Q8_0\n`, stderr: "" });
  const left = JSON.parse((await llmlb(home, ["list", "--json"])).stdout);
  expect(left.models).toMatchObject([{ name: ID, quantization: "Q4_K_M", state: null }]);
  const absent = await llmlb(home, ["rm", `${ID}:Q8_0`]);
  expect(absent.code).toBe(0);
  expect(absent.stdout).toContain("nothing to remove");
  expect((await llmlb(home, ["rm", ID, "--json"])).stdout).toContain('"removed": true');
  expect(existsSync(join(home.path, "models/hf"))).toBe(false);
  expect((await llmlb(home, ["rm", ID, "--json"])).stdout).toContain('"removed": false');
  expect((await llmlb(home, ["list"])).stdout).toContain("No models in");
}, 60_000);

test("a repository with names in lower case is pulled, listed and removed", async () => {
  using home = temporaryHome();
  const repo = "acme/Qwen3-8B-GGUF";
  await hub.add(lowercaseRepo(repo));
  const pulled = await llmlb(home, ["pull", repo]);
  expect(pulled.stdout).toStartWith(`hf/${repo}:q4_k_m is here: 3.9 KiB in `);
  const folder = join(home.path, "models/hf/acme/qwen3-8b-gguf");
  expect(readdirSync(folder).sort()).toEqual(["manifest.json", "qwen3-8b-q4_k_m.gguf"]);
  expect(await llmlb(home, ["pull", `${repo}:Q2_K`])).toMatchObject({ code: 0 });
  const { stdout } = await llmlb(home, ["list"]);
  expect(stdout).toMatch(new RegExp(`^hf/${repo} +q2_k `, "m"));
  expect(stdout).toMatch(new RegExp(`^hf/${repo}:q4_k_m +q4_k_m `, "m"));
  const removed = await llmlb(home, ["rm", `${repo}:Q2_K`]);
  expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining("Removed") });
  expect(readdirSync(folder).sort()).toEqual(["manifest.json", "qwen3-8b-q4_k_m.gguf"]);
}, 60_000);

test("folders that make no model are listed with the reason", async () => {
  using home = temporaryHome();
  const folder = join(home.path, "elsewhere", "mine");
  mkdirSync(folder, { recursive: true });
  for (const name of ["a.gguf", "b.gguf"]) writeFileSync(join(folder, name), "GGUF");
  const { stdout, code } = await llmlb(home, ["list", "--models-dir", join(folder, "..")]);
  expect(code).toBe(0);
  expect(stdout).toContain(`Not usable: ${folder}: it is not clear which file is meant`);
});

test.each<[string[], number, string]>([
  [["pull", "acme/nothing"], 1, "acme/nothing is not at"],
  [["pull", "acme/gated-GGUF"], 1, "No HF_TOKEN is set. Accept the licence at"],
  [["pull", REPO, "--hf-endpoint", "http://127.0.0.1:9"], 3, "HF_ENDPOINT"],
  [["pull", "acme/gated-GGUF", "--hf-token", "hf_no"], 1, "does not accept HF_TOKEN"],
  [["pull"], 2, "missing required argument"],
  [["pull", REPO, "--quant", "x"], 2, "unknown option"],
  [["rm", "a//b"], 1, "two in a row"],
  [["rm", "llmlb-tiny"], 1, "is built in"],
  [["ps"], 3, "No node runs from"],
])("what goes wrong is told: %j", async (args, code, text) => {
  using home = temporaryHome();
  const result = await llmlb(home, args);
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(text);
});

test("a program reads events, the last of them the outcome", async () => {
  using home = temporaryHome();
  const lines = (text: string) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const { stdout } = await llmlb(home, ["pull", `${REPO}:Q8_0`, "--json"]);
  expect(lines(stdout).at(-1)).toMatchObject({
    ...{ model: ID, state: "done", quantization: "Q8_0", bytes: 8500, total_bytes: 8500 },
    files: [{ name: "Llama-3-8B-Q8_0.gguf", state: "done" }, { name: "mmproj-F16.gguf" }],
  });
  const failed = await llmlb(home, ["pull", "acme/nothing", "--json"]);
  expect(failed.code).toBe(1);
  expect(lines(failed.stdout)).toMatchObject([
    { state: "failed", error: expect.stringContaining("is not at") },
  ]);
});

test("what is loaded is shown, with slots, memory and since when", async () => {
  using home = temporaryHome();
  const since = new Date(Date.now() - 90_000).toISOString();
  const used = { busy: 1, size_bytes: 2 ** 20, memory_bytes: 3 * 2 ** 20, since };
  using _ = fakeNode(home, [
    { id: ID, state: "ready", slots: 4, ...used },
    { id: "slow", state: "loading", slots: 4, progress: 0.5 },
    { id: "idle", state: "unloaded", slots: 4 },
  ]);
  const { code, stdout } = await llmlb(home, ["ps"]);
  expect(code).toBe(0);
  const row = `${ID} +loaded +1 of 4 busy +1 MiB +3 MiB +9\\d(\\.\\d)? s +its memory is needed`;
  expect(stdout).toMatch(new RegExp(`^${row} +process ${process.pid}$`, "m"));
  expect(stdout).toMatch(/^slow +loading 50 % +- +- +- +- +- +process \d+$/m);
  expect(stdout).not.toContain("idle");
  const { nodes } = JSON.parse((await llmlb(home, ["ps", "--json"])).stdout);
  expect(nodes).toMatchObject([{ answers: true, models: [{ id: ID, since }, { id: "slow" }] }]);
});

test("a model that answers requests is not removed, one that is fetched neither", async () => {
  using home = temporaryHome();
  await llmlb(home, ["pull", `${REPO}:Q8_0`]);
  {
    using _ = fakeNode(home, [{ id: ID, state: "ready", slots: 4, busy: 2 }]);
    for (const name of [ID, `${REPO}:Q8_0`]) {
      const refused = await llmlb(home, ["rm", name]);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain(`answers 2 requests in process ${process.pid}`);
    }
    expect((await llmlb(home, ["list"])).stdout).toMatch(/ loaded$/m);
  }
  const file = join(home.path, "models/hf/acme/llama-3-8b-gguf/Llama-3-8B-Q4_K_M.gguf.lock");
  const lock = await takeLock(file, { signal: new AbortController().signal });
  const fetching = await llmlb(home, ["rm", ID]);
  await lock.release();
  expect(fetching.code).toBe(1);
  expect(fetching.stderr).toContain("is being fetched right now");
  expect(await llmlb(home, ["rm", ID])).toMatchObject({ code: 0, stdout: `Removed ${ID}\n` });
}, 30_000);
