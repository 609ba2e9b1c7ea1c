import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LLAMA_CPP_VERSION } from "../config/version.ts";
import { createLogger } from "../lib/log.ts";
import { backendProblem, listDevices, NativeEngine } from "./binding.ts";
import { libraryDirectories } from "./library.ts";

const folder = mkdtempSync(join(tmpdir(), "llmlb-binding-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const directories = await libraryDirectories(folder, createLogger({ level: "silent" }));

const ignore = () => undefined;
const model = {
  log: ignore,
  progress: ignore,
  ready: ignore,
  loadError: ignore,
  promptFile: ignore,
};

/** Runs one request through the library; no model is loaded. */
function ask(engine: NativeEngine, path: string): Promise<{ status: number; body: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; body: string }>();
  const chunks: Uint8Array[] = [];
  let status = 0;
  const request = {
    method: "GET",
    path,
    query: { a: "1", b: "ü" },
    body: new Uint8Array(),
    files: [],
  };
  engine.submit(request, {
    head: (code) => {
      status = code;
    },
    data: (bytes) => void chunks.push(bytes),
    end: () => resolve({ status, body: Buffer.concat(chunks).toString() }),
  });
  return promise;
}

test("requests before a model is loaded are refused, each with its own answer", async () => {
  const engine = new NativeEngine(directories, model);
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask(engine, "/v1/models")));
  expect(answers.every(({ status }) => status === 503)).toBe(true);
  expect(answers.every(({ body }) => JSON.parse(body).error.message.includes("loading"))).toBe(
    true,
  );
  engine.destroy();
  engine.destroy();
});

test("an unknown id can be cancelled, before and after the end", () => {
  const engine = new NativeEngine(directories, model);
  engine.cancel(12345);
  engine.destroy();
  engine.cancel(1);
});

test("this host's processor is a device", () => {
  const { devices, llamaCpp } = listDevices(directories);
  expect(devices.some(({ type }) => type === "cpu")).toBe(true);
  expect(llamaCpp).not.toBe("");
});

test("a file that is no backend says why", () => {
  const directory = directories[0] ?? "";
  expect(backendProblem(directory, join(directory, "nothing.so"))).toContain("nothing.so");
});

test("the version that is told is the release of llama.cpp", () => {
  expect(listDevices(directories).llamaCpp).toBe(LLAMA_CPP_VERSION);
});
