import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LLAMA_CPP_VERSION } from "../src/config/version.ts";
import { hasGpuDriver, nvidiaDriver, seenGpus } from "../src/engine/plugin/gpus.ts";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { Program } from "../src/testkit/program.ts";
import { softwareVulkan } from "../src/testkit/vulkan.ts";
import { NodeSystem } from "../src/wire/system.ts";

// A driver in software builds its shaders at the first load.
setDefaultTimeout(240_000);

const isOnLinux = process.platform === "linux" && process.arch === "x64";
const vulkan = softwareVulkan();
const hasGpu = seenGpus().length > 0 || hasGpuDriver();

describe.skipIf(!isOnLinux)("backends", () => {
  test("are listed with what they need", async () => {
    using home = temporaryHome();
    const list = ["backend", "list"];
    const { code, stdout } = await runProgram([...list, "--json"], { home: home.path });
    expect(code).toBe(0);
    const { backends } = JSON.parse(stdout) as { backends: Record<string, unknown>[] };
    expect(backends.map(({ backend }) => backend)).toEqual(["cuda", "vulkan", "cpu"]);
    expect(backends[0]).toMatchObject({ state: "not installed" });
    expect(backends[2]).toMatchObject({ state: "built in" });
    const text = await runProgram(list, { home: home.path });
    expect(text.stdout).toContain("GPUs on this machine's PCI bus");
  });

  test("that are not there cannot be removed, and unknown ones not installed", async () => {
    using home = temporaryHome();
    const rm = await runProgram(["backend", "rm", "cuda"], { home: home.path });
    expect([rm.code, rm.stderr]).toEqual([1, expect.stringContaining("not installed")]);
    const odd = await runProgram(["backend", "install", "rocm"], { home: home.path });
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("auto, cuda, vulkan")]);
    for (const flag of [["--from", "x"], ["--keep"]]) {
      const auto = ["backend", "install", "auto", ...flag];
      expect((await runProgram(auto, { home: home.path })).code).toBe(2);
    }
  });

  test("whose file is another one leave nothing behind", async () => {
    using home = temporaryHome();
    const wrong = join(import.meta.dir, "../package.json");
    const install = ["backend", "install", "vulkan", "--keep", "--from", wrong];
    const { code, stderr } = await runProgram(install, { home: home.path });
    expect(code).toBe(1);
    expect(stderr).toContain("SHA-512");
    expect(readdirSync(pluginFolder(home.path))).toEqual([]);
  });
});

describe.skipIf(vulkan === undefined)("the backend for Vulkan, on a driver in software", () => {
  const env = vulkan ?? {};

  test("is used at once, with all layers of a model", async () => {
    using home = temporaryHome();
    const log = join(home.path, "node.log");
    const args = ["--log-level", "debug", "--log-file", log, "--gpu-layers", "99"];
    const { content, system } = await answerIn(home.path, { env, args });
    expect(content).toBe("Goodbye!");
    expect(system).toMatchObject({ backend: "vulkan", skipped_backends: [] });
    expect(system.device).toMatchObject({
      device_type: "gpu",
      gpu_devices: [{ name: expect.stringContaining("llvmpipe") }],
    });
    expect(system.device.gpu_devices[0]?.total_memory_bytes).toBeGreaterThan(2 ** 30);
    expect(placesIn(log)).toEqual({ layers: "7/7", hasWeightsOnGpu: true });
  });

  test("gives models the devices that are named for them", async () => {
    using home = temporaryHome();
    const log = join(home.path, "node.log");
    const split = ["--tensor-split", "1", "--split-mode", "layer", "--main-gpu", "0"];
    const args = ["--log-level", "debug", "--log-file", log, "--device", "Vulkan0", ...split];
    expect((await answerIn(home.path, { env, args })).content).toBe("Goodbye!");
    expect(placesIn(log)).toEqual({ layers: "7/7", hasWeightsOnGpu: true });
    rmSync(log);

    const models = { [TINY]: { device: "none" } };
    writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
    const { content, system } = await answerIn(home.path, { env, args: args.slice(0, 4) });
    expect([content, system.backend]).toEqual(["Goodbye!", "vulkan"]);
    expect(placesIn(log).hasWeightsOnGpu).toBe(false);
  });

  test("has devices by name only, in arguments and in settings", async () => {
    using home = temporaryHome();
    const list = await runProgram(["node", "--list-devices"], { home: home.path, env });
    expect([list.code, list.stdout]).toEqual([0, expect.stringMatching(/^Vulkan0 +gpu /m)]);
    const run = (...args: string[]) =>
      runProgram(["node", "--port", "0", ...args], { home: home.path, env });
    const refused = [2, expect.stringContaining("no device CUDA7 is here: there is Vulkan0")];
    const byArgument = await run("--device", "CUDA7");
    expect([byArgument.code, byArgument.stderr]).toEqual(refused);
    const models = { [TINY]: { device: ["Vulkan0", "CUDA7"] } };
    writeFileSync(join(home.path, "config.json"), JSON.stringify({ models }));
    const bySetting = await run();
    expect([bySetting.code, bySetting.stderr]).toEqual(refused);
  });

  test("is not used until its device is named, since it is no GPU", async () => {
    using home = temporaryHome();
    const { GGML_VK_VISIBLE_DEVICES: _, ...unnamed } = env;
    const { content, system } = await answerIn(home.path, { env: unnamed });
    expect(content).toBe("Goodbye!");
    expect(system.backend).toBe("cpu");
    const reason = hasGpu ? "mesa-vulkan-drivers" : "this host shows no GPU";
    const skipped = { backend: "vulkan", reason: expect.stringContaining(reason) };
    expect(system.skipped_backends).toContainEqual(skipped);
    expect(existsSync(pluginFolder(home.path))).toBe(hasGpu);
  });

  test("is not used any more once it is removed, and again when it is installed", async () => {
    using home = temporaryHome();
    const run = (...args: string[]) => runProgram(["backend", ...args], { home: home.path, env });
    expect((await run("list")).stdout).toMatch(/vulkan +works +Vulkan0/);
    expect((await run("devices")).stdout).toMatch(/Vulkan0 +gpu .*llvmpipe/);
    expect((await run("rm", "vulkan")).code).toBe(0);
    expect((await run("rm", "vulkan")).code).toBe(1);
    expect((await run("list")).stdout).toMatch(/vulkan +removed/);
    const { system } = await answerIn(home.path, { env });
    expect(system).toMatchObject({
      backend: "cpu",
      skipped_backends: [{ backend: "vulkan", reason: expect.stringContaining("by hand") }],
    });
    const back = await run("install", "vulkan");
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining("Vulkan0")]);
    expect((await run("devices")).stdout).toContain("Vulkan0");
  });
});

// The package has 143 MB: it is fetched where nothing may be left out.
const hasNvidia = nvidiaDriver() !== undefined;
describe.skipIf(!isOnLinux || hasNvidia || process.env.NEEDS_CUDA !== "1")(
  "the backend for CUDA, without a driver",
  () => {
    test("is refused before it is fetched, and passed over where it was kept", async () => {
      using home = temporaryHome();
      const install = ["backend", "install", "cuda"];
      const refused = await runProgram(install, { home: home.path });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("NVIDIA's driver is missing (libcuda.so.1)");
      expect(existsSync(pluginFolder(home.path, "cuda"))).toBe(false);

      const kept = await runProgram([...install, "--keep"], { home: home.path });
      expect([kept.code, kept.stdout]).toEqual([
        ...[0, expect.stringContaining("cannot be used here now: NVIDIA's driver is missing")],
      ]);
      expect(readdirSync(pluginFolder(home.path, "cuda"))).toEqual(["libggml-cuda.so"]);

      const { content, system } = await answerIn(home.path, { env: {} });
      expect(content).toBe("Goodbye!");
      expect(system.skipped_backends).toContainEqual({
        ...{ backend: "cuda", reason: expect.stringContaining("libcuda.so.1") },
      });
    });
  },
);

function pluginFolder(home: string, name = "vulkan"): string {
  return join(home, "native", LLAMA_CPP_VERSION, name);
}

/** Where llama.cpp has put a model's layers and weights, by its own log. */
function placesIn(log: string) {
  const text = readFileSync(log, "utf8");
  const layers = /offloaded (\d+\/\d+) layers to GPU/.exec(text)?.[1];
  return { layers, hasWeightsOnGpu: /Vulkan0 model buffer size/.test(text) };
}

/** What the tiny model says, and what the node says of itself. */
async function answerIn(home: string, { env, args = [] }: AnswerOptions) {
  const program = await Program.start({ mode: "node", home, env, args, untilReady: false });
  try {
    const chat = { model: TINY, messages: says("Goodbye"), temperature: 0 };
    const answer = await post(`${program.url}/v1/chat/completions`, chat);
    const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
    const system = NodeSystem.parse(await (await fetch(`${program.url}/v0/system`)).json());
    return { content: choices[0]?.message.content, system };
  } finally {
    await program.stop();
  }
}

interface AnswerOptions {
  env: Record<string, string>;
  args?: string[];
}
