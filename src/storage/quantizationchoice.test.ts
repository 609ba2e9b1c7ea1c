import { describe, expect, test } from "bun:test";
import { parseGguf } from "../model/gguf.ts";
import { hyperparametersOf } from "../model/hyperparameters.ts";
import { ggufBytes } from "../testkit/modelsfolder.ts";
import type { Artifact } from "../wire/manifest.ts";
import { ArtifactRoles } from "./artifactroles.ts";
import { candidatesOf, filesOf } from "./candidate.ts";
import { chooseQuantization } from "./quantizationchoice.ts";

const GIB = 1024 * 1024 * 1024;

const LLAMA = hyperparametersOf(
  parseGguf(
    ggufBytes({
      "general.architecture": "llama",
      "llama.block_count": 32,
      "llama.context_length": 131_072,
      "llama.embedding_length": 4096,
      "llama.feed_forward_length": 14_336,
      "llama.attention.head_count": 32,
      "llama.attention.head_count_kv": 8,
      "llama.vocab_size": 128_256,
    }),
  ),
);

describe("of several quantizations", () => {
  const artifact = (filename: string, gib: number): Artifact => ({
    ...{ filename, format: "gguf", quantization: /(I?Q\d\w*)/i.exec(filename)?.[1] ?? null },
    ...{ size_bytes: gib * GIB, sha256: null, git_oid: null, url: "https://huggingface.co/x" },
    ...{ priority: 0, runtimes: ["llama_cpp"], optional: false },
  });
  const artifacts = [
    artifact("m-Q2_K.gguf", 3),
    artifact("m-Q4_K_M.gguf", 5),
    artifact("m-Q8_0-00001-of-00002.gguf", 4),
    artifact("m-Q8_0-00002-of-00002.gguf", 4),
    artifact("mmproj-F16.gguf", 1),
  ];
  const roles = new ArtifactRoles();
  const candidates = candidatesOf(artifacts, roles);
  const choose = (device: number, host: number, offered = candidates) =>
    chooseQuantization(offered, {
      ...{ hyperparameters: LLAMA, args: [], extraBytes: 0 },
      free: { device: device * GIB, host: host * GIB },
    });

  test("parts are one, projectors are none", () => {
    expect(candidates.map(({ quantization }) => quantization)).toEqual(["Q2_K", "Q4_K_M", "Q8_0"]);
    const q8 = candidates[2];
    expect(q8?.sizeBytes).toBe(8 * GIB);
    const files = q8 === undefined ? [] : filesOf(q8, artifacts, roles);
    expect(files.map(({ filename }) => filename)).toEqual([
      "m-Q8_0-00001-of-00002.gguf",
      "m-Q8_0-00002-of-00002.gguf",
      "mmproj-F16.gguf",
    ]);
  });

  test.each([
    [0, 64, "Q4_K_M", "host"],
    [24, 64, "Q4_K_M", "device"],
    [0, 6, "Q2_K", "host"],
    [5, 64, "Q2_K", "device"],
    [2, 64, "Q4_K_M", "host"],
  ])("with %d GiB of GPU and %d GiB of host memory it is %s", (device, host, wanted, place) => {
    const fit = choose(device, host);
    expect([fit.candidate.quantization, fit.place]).toEqual([wanted, place as "device" | "host"]);
  });

  test("the preferred one is found in lower case, too", () => {
    const lowered = [["m-q2_k.gguf", 3] as const, ["m-q4_k_m.gguf", 5] as const];
    const files = [...lowered, ["m-q8_0.gguf", 9] as const].map(([name, gib]) =>
      artifact(name, gib),
    );
    const lower = candidatesOf(files, roles);
    const { candidate } = choose(0, 64, lower);
    expect(candidate.quantization).toBe("q4_k_m");
  });

  test("without the preferred one it is the largest that fits", () => {
    const others = candidates.filter(({ quantization }) => quantization !== "Q4_K_M");
    expect(choose(0, 64, others).candidate.quantization).toBe("Q8_0");
    expect(choose(0, 8, others).candidate.quantization).toBe("Q2_K");
  });

  test("none is refused with numbers", () => {
    expect(() => choose(0, 2)).toThrow(/smallest, Q2_K, takes 3\.\d GiB .*2 GiB of host memory/);
    expect(() => choose(0, 64, [])).toThrow("no GGUF file");
  });
});
