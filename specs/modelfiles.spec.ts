import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { ggufBytes } from "../src/testkit/modelsfolder.ts";
import { Program } from "../src/testkit/program.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import type { FileContent } from "../src/testkit/servers/hub/repo.ts";
import { someBytes, tinyRepo } from "../src/testkit/servers/hub/samples.ts";

setDefaultTimeout(120_000);

const TINY = Object.values(tinyRepo().files)[0] ?? "";

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

/** A file whose header says what it is, with so many bytes. */
function typed(type: string, bytes: number): Uint8Array {
  return Buffer.concat([ggufBytes({ "general.type": type }), someBytes(bytes)]);
}

let repos = 0;

/** Puts a repository with these files on the hub; its name. */
async function added(files: Record<string, FileContent>): Promise<string> {
  repos += 1;
  const name = `acme/T${repos}-GGUF`;
  await hub.add({ name, files, tags: ["gguf"] });
  return name;
}

/** Runs `llmlb pull` in a new home; its outcome, and the GGUF files that came. */
async function pull(reference: string, ...more: string[]) {
  using home = temporaryHome();
  const args = ["pull", reference, ...more];
  const result = await runProgram(args, { home: home.path, env: { HF_ENDPOINT: hub.url } });
  const models = join(home.path, "models");
  const names = existsSync(models) ? readdirSync(models, { recursive: true }).map(String) : [];
  const files = names.flatMap((name) => /([^/]+\.gguf)$/.exec(name)?.[1] ?? []).sort();
  return { ...result, files };
}

test("a tag names the file for which the hub's page prints it", async () => {
  const ud = await added({ "T-Q4_K_M.gguf": someBytes(900), "T-UD-Q4_K_M.gguf": someBytes(950) });
  expect((await pull(ud)).files).toEqual(["T-Q4_K_M.gguf"]);
  expect((await pull(`${ud}:Q4_K_M`)).files).toEqual(["T-Q4_K_M.gguf"]);
  expect((await pull(`${ud}:UD-Q4_K_M`)).files).toEqual(["T-UD-Q4_K_M.gguf"]);
  const marked = await added({ "A.i1-Q4_K_M.gguf": someBytes(9), "A.i1-Q2_K.gguf": someBytes(8) });
  expect((await pull(`${marked}:i1-Q2_K`)).files).toEqual(["A.i1-Q2_K.gguf"]);
  const parts = ["1", "2"].map((n) => `UD-Q6_K_XL/A-UD-Q6_K_XL-0000${n}-of-00002.gguf`);
  const split = await added({
    ...Object.fromEntries(parts.map((path) => [path, someBytes(500)])),
    "A-Q8_0.gguf": someBytes(2000),
  });
  const names = parts.map((path) => path.slice("UD-Q6_K_XL/".length));
  for (const reference of [`${split}:UD-Q6_K_XL`, `${hub.url}/${split}/tree/main/UD-Q6_K_XL`]) {
    expect((await pull(reference)).files).toEqual(names);
  }
  const low = await added({ "m_Q4_K_M.gguf": someBytes(9), "m_Q8_0.gguf": someBytes(19) });
  expect((await pull(low)).files).toEqual(["m_Q4_K_M.gguf"]);
  expect((await pull(`${low}:Q8_0`)).files).toEqual(["m_Q8_0.gguf"]);
});

test("companions are never the model; what is left out is told", async () => {
  const large = new Blob([new Uint8Array(64)]);
  const repo = await added({
    ...{ "T-Q4_K_M.gguf": someBytes(5000), "mtp-T-Q8_0.gguf": someBytes(50) },
    ...{ "T-imatrix.gguf": typed("imatrix", 20), "ggml-vocab-t.gguf": large },
  });
  const whole = await pull(repo);
  expect(whole).toMatchObject({ code: 0, files: ["T-Q4_K_M.gguf"] });
  expect(whole.stderr).toContain("mtp-T-Q8_0.gguf is left out: it is a drafter");
  const none = await pull(`${repo}:Q8_0`);
  expect(none).toMatchObject({ code: 1, files: [] });
  expect(none.stderr).toContain("has no Q8_0. There are: Q4_K_M");
  const seeing = await added({
    ...{ "V-Q4_K_M.gguf": typed("model", 900), "V-eyes-f16.gguf": typed("mmproj", 90) },
  });
  for (const reference of [seeing, `${seeing}:Q4_K_M`]) {
    expect((await pull(reference)).files).toEqual(["V-Q4_K_M.gguf", "V-eyes-f16.gguf"]);
  }
  const merged = await added({ "T-lora-merged-Q4_K_M.gguf": typed("model", 90) });
  for (const more of [[], ["--file", "T-lora-merged-Q4_K_M.gguf"]]) {
    expect((await pull(merged, ...more)).files).toEqual(["T-lora-merged-Q4_K_M.gguf"]);
  }
});

test("what follows a name is never ignored", async () => {
  const repo = await added({ "T-Q4_K_M.gguf": someBytes(9), "T-Q8_0.gguf": someBytes(19) });
  for (const rest of ["/Q8_0", "/T-Q8_0", "/T-Q8_0.ggu", "/blob/main/T-Q8_0.gguf:Q4_K_M"]) {
    expect(await pull(repo + rest)).toMatchObject({ code: 1, files: [] });
  }
  expect((await pull(`${repo}/Q8_0`)).stderr).toContain(`as in ${repo}:Q4_K_M`);
  const cut = await added({ "T-Q2_K-00001-of-00002.gguf": someBytes(9), "T-Q8_0.gguf": "x" });
  expect((await pull(`${cut}:Q2_K`)).stderr).toContain("are missing: T-Q2_K-00002-of-00002.gguf");
});

const NAMES = [
  ...["my model Q4_K_M.gguf", "T#1-Q4_K_M.gguf", "T%20-Q4_K_M.gguf", "T+B-Q4_K_M.gguf"],
  ...["T@1-Q4_K_M.gguf", "T (1)-Q4_K_M.gguf", "[T]-Q4_K_M.gguf", "T'-Q4_K_M.gguf"],
  ...["Größe-Q4_K_M.gguf", "模型-Q4_K_M.gguf", "🦙-Q4_K_M.gguf", "a=b-Q4_K_M.gguf"],
  `${"n".repeat(243)}-Q4_K_M.gguf`,
];

test("files with any name are registered, fetched by nodes, run, listed and removed", async () => {
  const repo = await added(Object.fromEntries(NAMES.map((name) => [name, TINY])));
  await using far = await startNode();
  for (const name of NAMES) {
    const id = `hf/${repo}/${name}`;
    const { url, home } = far;
    const run = (...args: string[]) => runProgram(args, { home, env: { HF_ENDPOINT: hub.url } });
    const at = ["--url", url];
    expect(await run("model", "add", repo, "--file", name, ...at)).toMatchObject({ code: 0 });
    const show = await run("model", "show", id, ...at);
    expect(show).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
    expect(await run("model", "pull", id, ...at)).toMatchObject({ code: 0 });
    expect((await run("list")).stdout).toContain(id);
    const answer = await run("chat", "--model", id, ...at, "Goodbye");
    expect([name, answer.stdout]).toEqual([name, "Goodbye!\n"]);
    const listed = await fetch(`${url}/v1/models/${encodeURIComponent(id)}`);
    expect([name, listed.status]).toEqual([name, 200]);
    expect(await run("model", "rm", id, ...at)).toMatchObject({ code: 0 });
  }
});

/** A standalone llmlb with a home of its own. */
async function startNode() {
  const home = temporaryHome();
  const program = await Program.start({ home: home.path, env: { HF_ENDPOINT: hub.url } });
  return {
    url: program.url,
    home: home.path,
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      home[Symbol.dispose]();
    },
  };
}

test("by an address and by --file, files with any name are fetched for this machine", async () => {
  const repo = await added(Object.fromEntries(NAMES.map((name) => [name, someBytes(9)])));
  for (const name of NAMES) {
    const encoded = `${hub.url}/${repo}/blob/main/${encodeURIComponent(name)}`;
    for (const [reference = "", ...more] of [
      ...[[encoded], [repo, "--file", name], [`hf/${repo}/${name}`]],
    ]) {
      expect([name, (await pull(reference, ...more)).files]).toEqual([name, [name]]);
    }
  }
});

test("files that lie directly in the models folder are models", async () => {
  using home = temporaryHome();
  mkdirSync(join(home.path, "models"), { recursive: true });
  writeFileSync(join(home.path, "models", "T-Q8_0.gguf"), TINY as Uint8Array);
  writeFileSync(join(home.path, "models", "U-Q4_K_M.gguf"), TINY as Uint8Array);
  const run = (...args: string[]) => runProgram(args, { home: home.path });
  const listed = await run("list");
  expect(listed.stdout).toMatch(/^T-Q8_0 +Q8_0 /m);
  const program = await Program.start({ home: home.path, mode: "node" });
  try {
    expect((await run("chat", "--model", "T-Q8_0", "Goodbye")).stdout).toBe("Goodbye!\n");
  } finally {
    await program.stop();
  }
  expect(await run("rm", "T-Q8_0")).toMatchObject({ code: 0 });
  expect(readdirSync(join(home.path, "models"))).toEqual(["U-Q4_K_M.gguf"]);
});
