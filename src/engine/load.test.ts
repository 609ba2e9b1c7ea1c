import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import {
  decodingSlots,
  ENDLESS,
  EngineHome,
  launchTest,
  loadFailure,
  sendToEngine,
  TINY_FILE,
  TINY_MMPROJ_FILE,
  tinyChat,
} from "../testkit/engine.ts";
import { until } from "../testkit/eventually.ts";
import { isAlive } from "../testkit/processes.ts";

const LIMIT_MS = 10_000;

const home = new EngineHome();
afterAll(() => home[Symbol.dispose]());

/** A copy of the tiny model with other bytes. */
function damaged(name: string, change: (bytes: Buffer) => Buffer): string {
  const path = join(home.path, name);
  writeFileSync(path, change(readFileSync(TINY_FILE)));
  return path;
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.write(to, at);
  return bytes;
}

describe("a life", () => {
  test("launch, chat, stop: nothing is left", async () => {
    const progress: number[] = [];
    const engine = await launchTest(home, { onProgress: (fraction) => progress.push(fraction) });
    expect(engine.info).toMatchObject({ slots: 4, vision: false, embeddings: false });
    expect(engine.info.parameters).toBe(3_640_576);
    expect(progress.length).toBeGreaterThan(0);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.every((fraction) => fraction >= 0 && fraction <= 1)).toBe(true);
    expect(home.sockets()).toHaveLength(1);

    const answer = await sendToEngine(engine, "/v1/chat/completions", tinyChat("Goodbye"));
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "Goodbye!" } }] });

    await engine.stop(5000);
    expect(await engine.exited).toMatchObject({ expected: true });
    expect(isAlive(engine.pid)).toBe(false);
    expect(home.sockets()).toEqual([]);
  });

  test("two engines at once answer at once", async () => {
    const engines = await Promise.all([
      launchTest(home, { modelId: "a" }),
      launchTest(home, { modelId: "b", mmprojPath: TINY_MMPROJ_FILE }),
    ]);
    const answers = await Promise.all(
      engines.map(async (engine) =>
        (await sendToEngine(engine, "/v1/chat/completions", tinyChat("Goodbye"))).json(),
      ),
    );
    expect(answers).toMatchObject([{ model: "a" }, { model: "b" }]);
    expect(engines.map((engine) => engine.info.vision)).toEqual([false, true]);
    await Promise.all(engines.map((engine) => engine.stop(5000)));
    expect(home.sockets()).toEqual([]);
  });

  test("an engine for embeddings embeds, and refuses what is too long", async () => {
    const args = ["--embeddings", "--pooling", "mean", "--ubatch-size", "64"];
    const engine = await launchTest(home, { args });
    expect(engine.info.embeddings).toBe(true);
    const answer = await sendToEngine(engine, "/v1/embeddings", { input: ["one", "two"] });
    const { data } = (await answer.json()) as { data: { embedding: number[] }[] };
    expect(data.map(({ embedding }) => embedding.length)).toEqual([256, 256]);
    const long = await sendToEngine(engine, "/v1/embeddings", { input: "word ".repeat(300) });
    expect(long.status).toBe(400);
    expect(await long.json()).toMatchObject({ error: { code: "context_length_exceeded" } });
    await engine.stop(5000);
  });

  test("stopping ends a stream that runs", async () => {
    const engine = await launchTest(home);
    const body = tinyChat("Hello", { ...ENDLESS, stream: true });
    const stream = await sendToEngine(engine, "/v1/chat/completions", body);
    const rest = stream.text().catch(() => "cut");
    await until(async () => (await decodingSlots(engine)) === 1, 5000);
    await engine.stop(5000);
    expect(await rest).toBeString();
    expect(await engine.exited).toMatchObject({ expected: true });
  });
});

describe("a load that fails says why", () => {
  test("no such file", async () => {
    const error = await loadFailure(launchTest(home, { modelPath: "/nowhere/a.gguf" }));
    expect(error.reason).toBe("not_found");
    expect(error.message).toBe("Loading a.gguf failed: it cannot be read.");
  });

  test("not a GGUF file", async () => {
    const modelPath = damaged("text.gguf", () => Buffer.from("hello"));
    expect((await loadFailure(launchTest(home, { modelPath }))).reason).toBe("not_gguf");
  });

  test("a version that llama.cpp does not know", async () => {
    const modelPath = damaged("version.gguf", (bytes) => {
      bytes.writeUInt32LE(99, 4);
      return bytes;
    });
    expect((await loadFailure(launchTest(home, { modelPath }))).reason).toBe("not_gguf");
  });

  test("a truncated file", async () => {
    const modelPath = damaged("cut.gguf", (bytes) => bytes);
    truncateSync(modelPath, 2_000_000);
    const { reason } = await loadFailure(launchTest(home, { modelPath }));
    expect(reason).toBe("corrupt");
  });

  test("an unknown architecture", async () => {
    const modelPath = damaged("arch.gguf", (bytes) => replaced(bytes, "llama", "lhama"));
    const error = await loadFailure(launchTest(home, { modelPath }));
    expect(error.reason).toBe("unknown_architecture");
    expect(error.message).toContain("lhama");
  });

  test("arguments that llama-server does not know, or that print and end", async () => {
    for (const args of [["--no-such-flag"], ["--ctx-size", "many"], ["--help"], ["--version"]]) {
      const error = await loadFailure(launchTest(home, { args }));
      expect({ args, reason: error.reason }).toEqual({ args, reason: "bad_arguments" });
    }
  });

  test("a projector that is none", async () => {
    const error = await loadFailure(launchTest(home, { mmprojPath: TINY_FILE }));
    expect(error.message).toContain("failed");
  });

  // Elsewhere the system promises memory that it does not have.
  test.if(process.platform === "linux")(
    "more context than there is memory",
    async () => {
      const cacheBytesPerToken = 3072;
      const tokens = Math.ceil((3 * totalmem()) / cacheBytesPerToken);
      const cache = ["--cache-type-k", "f32", "--cache-type-v", "f32"];
      const args = [...cache, "--fit", "off", "--ctx-size", String(tokens)];
      const error = await loadFailure(launchTest(home, { args }));
      expect(error.reason).toBe("out_of_memory");
    },
    LIMIT_MS,
  );

  test("it takes too long, or is no longer wanted", async () => {
    const { reason } = await loadFailure(launchTest(home, { loadTimeoutMs: 1 }));
    expect(reason).toBe("timeout");
    const gone = await loadFailure(launchTest(home, { signal: AbortSignal.abort() }));
    expect(gone.reason).toBe("cancelled");
  });

  test("afterwards nothing is left", async () => {
    await until(() => home.sockets().length === 0, 2000);
  });
});

describe("sudden ends", () => {
  test("an engine that is killed settles `exited` and breaks its streams", async () => {
    const engine = await launchTest(home);
    const body = tinyChat("Hello", { ...ENDLESS, stream: true });
    const stream = await sendToEngine(engine, "/v1/chat/completions", body);
    const rest = stream.text().then(
      () => "complete",
      () => "cut",
    );
    process.kill(engine.pid, "SIGKILL");
    const exit = await engine.exited;
    expect(exit.expected).toBe(false);
    expect(exit.message).toContain("SIGKILL");
    expect(await rest).toBe("cut");
    await until(() => home.sockets().length === 0, 2000);
  });

  test(
    "an engine ends with the process that started it",
    async () => {
      const script = `
      import { launchTest } from "${join(import.meta.dir, "../testkit/engine.ts")}";
      const home = { path: ${JSON.stringify(home.path)} };
      process.stdout.write(String((await launchTest(home)).pid) + "\\n");
      await Bun.sleep(20_000);
      process.exit();`;
      const parent = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
      const { value } = await parent.stdout.getReader().read();
      const pid = Number(new TextDecoder().decode(value));
      expect(isAlive(pid)).toBe(true);
      expect(home.sockets()).toHaveLength(1);
      parent.kill("SIGKILL");
      await parent.exited;
      await until(() => !isAlive(pid), 2000);
      // Nobody was left to remove its socket; the next launch does.
      const engine = await launchTest(home);
      expect(home.sockets()).toHaveLength(1);
      await engine.stop(5000);
      expect(home.sockets()).toEqual([]);
    },
    LIMIT_MS,
  );

  test("this process has survived all of it", async () => {
    const engine = await launchTest(home);
    expect((await sendToEngine(engine, "/health")).status).toBe(200);
    await engine.stop(5000);
  });
});
