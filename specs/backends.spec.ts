import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { Program } from "../src/testkit/program.ts";
import { NodeSystem } from "../src/wire/system.ts";

// A driver in software builds its shaders at the first load.
setDefaultTimeout(240_000);

/**
 * The package with the Vulkan backend, as npm packs it. Where it is named, a driver for Vulkan must
 * be there, too; Mesa's software driver does, with GGML_VK_VISIBLE_DEVICES=0.
 */
const PACKAGE = process.env.LLMLB_TEST_VULKAN ?? "";
const DRIVER = ["LD_LIBRARY_PATH", "VK_ICD_FILENAMES", "GGML_VK_VISIBLE_DEVICES"];
const env = Object.fromEntries(
  DRIVER.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);
const isOnLinux = process.platform === "linux" && process.arch === "x64";

describe.skipIf(!isOnLinux)("backends", () => {
  test("are listed with what they need", async () => {
    using home = temporaryHome();
    const list = ["backend", "list"];
    const { code, stdout } = await runProgram([...list, "--json"], { home: home.path });
    expect(code).toBe(0);
    const { backends } = JSON.parse(stdout) as { backends: Record<string, unknown>[] };
    expect(backends.map(({ backend, state }) => `${backend} ${state}`)).toEqual([
      ...["cuda not installed", "vulkan not installed", "cpu built in"],
    ]);
    const text = await runProgram(list, { home: home.path });
    expect(text.stdout).toContain("GPUs on this machine's PCI bus");
  });

  test("that are not there cannot be removed, and unknown ones not installed", async () => {
    using home = temporaryHome();
    const rm = await runProgram(["backend", "rm", "vulkan"], { home: home.path });
    expect([rm.code, rm.stderr]).toEqual([1, expect.stringContaining("not installed")]);
    const odd = await runProgram(["backend", "install", "rocm"], { home: home.path });
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("auto, cuda, vulkan")]);
    const from = ["backend", "install", "auto", "--from", "x"];
    expect((await runProgram(from, { home: home.path })).code).toBe(2);
  });

  test("whose file is another one leave nothing behind", async () => {
    using home = temporaryHome();
    const wrong = join(import.meta.dir, "../package.json");
    const install = ["backend", "install", "vulkan", "--from", wrong];
    const { code, stderr } = await runProgram(install, { home: home.path, env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/SHA-512|Vulkan loader is missing/);
    const native = join(home.path, "native", "v0.5.0", "vulkan");
    expect(existsSync(native) ? readdirSync(native) : []).toEqual([]);
  });

  test.skipIf(PACKAGE === "")("are used by the next engine, until they are removed", async () => {
    using home = temporaryHome();
    const run = (...args: string[]) => runProgram(["backend", ...args], { home: home.path, env });
    const installed = await run("install", "vulkan", "--from", PACKAGE);
    expect([installed.code, installed.stdout]).toEqual([0, expect.stringContaining("Vulkan0")]);
    expect((await run("list")).stdout).toMatch(/vulkan +works +Vulkan0/);
    expect(await answerIn(home.path)).toEqual({ content: "Goodbye!", device: "gpu" });
    expect((await run("rm", "vulkan")).code).toBe(0);
    expect(await answerIn(home.path)).toEqual({ content: "Goodbye!", device: "cpu" });
  });
});

/** What the tiny model says, with all its layers on a GPU if there is one. */
async function answerIn(home: string) {
  const args = ["--", "--n-gpu-layers", "99"];
  const program = await Program.start({ mode: "node", home, env, args, untilReady: false });
  try {
    const chat = { model: TINY, messages: says("Goodbye"), temperature: 0 };
    const answer = await post(`${program.url}/v1/chat/completions`, chat);
    const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
    const system = NodeSystem.parse(await (await fetch(`${program.url}/api/system`)).json());
    return { content: choices[0]?.message.content, device: system.device.device_type };
  } finally {
    await program.stop();
  }
}
