import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { startHub } from "../src/testkit/servers/hub/hub.ts";
import { tinyRepo } from "../src/testkit/servers/hub/samples.ts";

setDefaultTimeout(120_000);

const home = temporaryHome();
const env = { HF_HOME: join(home.path, "hf"), OLLAMA_MODELS: join(home.path, "ollama") };
const cached = join(env.HF_HOME, "hub/models--llmlb--tiny-GGUF");
const FILE = "llmlb-tiny-Q8_0.gguf";
const { [FILE]: file } = tinyRepo().files;
if (!(file instanceof Uint8Array)) throw new Error("the sample has another file");
const content = Buffer.from(file);
const hash = new Bun.CryptoHasher("sha256").update(content).digest("hex");

function write(path: string, data: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
}

beforeAll(() => {
  write(join(cached, "blobs", hash), content);
  mkdirSync(join(cached, "snapshots/c1"), { recursive: true });
  symlinkSync(`../../blobs/${hash}`, join(cached, "snapshots/c1", FILE));
  write(join(env.OLLAMA_MODELS, `blobs/sha256-${hash}`), content);
  const layers = [
    { mediaType: "application/vnd.ollama.image.model", digest: `sha256:${hash}` },
    { mediaType: "application/vnd.ollama.image.template", digest: `sha256:${"0".repeat(64)}` },
  ];
  const manifest = join(env.OLLAMA_MODELS, "manifests/registry.ollama.ai/library/tiny/latest");
  write(manifest, JSON.stringify({ layers }));
});
afterAll(() => home[Symbol.dispose]());

const llmlb = (args: string[], more: Record<string, string> = {}) =>
  runProgram(args, { home: home.path, env: { ...env, ...more } });

async function namesAt(program: Program): Promise<string[]> {
  const answer = (await (await fetch(`${program.url}/v1/models`)).json()) as {
    data: { id: string }[];
  };
  return answer.data.map(({ id }) => id);
}

test("with --model-sources serve they answer where they lie", async () => {
  const args = ["--model-sources", "serve"];
  const program = await Program.start({ home: home.path, args, env });
  try {
    const isThere = async () =>
      (await namesAt(program)).includes("ollama/tiny:latest") || undefined;
    await eventually(isThere, 20_000);
    for (const model of ["hf/llmlb/tiny-GGUF", "ollama/tiny:latest"]) {
      const answer = await llmlb(["run", model, "Goodbye"]);
      expect(answer).toMatchObject({ code: 0, stdout: "Goodbye!\n" });
    }
    const id = encodeURIComponent("ollama/tiny:latest");
    const removal = await fetch(`${program.nodeUrl}/api/models/${id}`, { method: "DELETE" });
    expect(removal.status).toBe(409);
  } finally {
    await program.stop();
  }
});

test("list says whose they are, and rm leaves them alone", async () => {
  const { stdout } = await llmlb(["list"]);
  expect(stdout).toMatch(/^hf\/llmlb\/tiny-GGUF .*Hugging Face cache$/m);
  expect(stdout).toMatch(/^ollama\/tiny:latest .*Ollama$/m);
  for (const [name, owner] of [
    ["llmlb/tiny-gguf", "the Hugging Face cache's"],
    ["ollama/tiny", "Ollama's"],
  ] as const) {
    const removal = await llmlb(["rm", name]);
    expect([removal.code, removal.stderr]).toEqual([1, expect.stringContaining(`is ${owner}`)]);
  }
  expect(existsSync(join(cached, "blobs", hash))).toBe(true);
  expect((await llmlb(["list", "--model-sources", "none"])).stdout).toContain("No models in");
});

test("by default they are not served, and a pull takes their files", async () => {
  await using hub = await startHub();
  await hub.add(tinyRepo());
  const HF_ENDPOINT = hub.url;
  const program = await Program.start({ home: home.path, env: { ...env, HF_ENDPOINT } });
  try {
    expect(await namesAt(program)).toEqual(["llmlb-tiny"]);
    const answer = await llmlb(["run", "llmlb/tiny-GGUF:Q8_0", "Goodbye"], { HF_ENDPOINT });
    expect(answer).toMatchObject({ code: 0, stdout: "Goodbye!\n" });
    // No more than the header, to know what memory it takes.
    expect(hub.served("llmlb/tiny-GGUF", FILE)).toBeLessThan(content.length / 2);
    const linked = join(home.path, "models/hf/llmlb/tiny-gguf", FILE);
    expect(statSync(linked).ino).toBe(statSync(join(cached, "blobs", hash)).ino);
    const removal = await llmlb(["rm", "hf/llmlb/tiny-GGUF"]);
    expect(removal.stdout).toContain("Removed");
    expect(existsSync(join(cached, "blobs", hash))).toBe(true);
  } finally {
    await program.stop();
  }
});
