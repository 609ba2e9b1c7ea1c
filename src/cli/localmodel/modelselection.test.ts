import { afterAll, beforeAll, expect, test } from "bun:test";
import { errorMessage } from "../../lib/errormessage.ts";
import type { FreeMemory } from "../../model/memory.ts";
import { HubClient } from "../../registry/hubclient.ts";
import { failing } from "../../testkit/pullbench.ts";
import { type Hub, startHub } from "../../testkit/servers/hub/hub.ts";
import {
  adapterRepo,
  lowercaseRepo,
  safetensorsRepo,
  someBytes,
  variantsRepo,
} from "../../testkit/servers/hub/samples.ts";
import { silent } from "../../testkit/state.ts";
import { MemoryHubCache } from "./memoryhubcache.ts";
import { type ModelReference, type ModelSelection, selectModel } from "./modelselection.ts";
import { explainPullError } from "./pullerror.ts";

const REPO = "acme/Llama-3-8B-GGUF";
const MIB = 2 ** 20;

let hub: Hub;
beforeAll(async () => {
  hub = await startHub();
  await hub.add(variantsRepo());
  await hub.add(safetensorsRepo());
  await hub.add(adapterRepo());
  await hub.add({
    name: "acme/two-GGUF",
    files: { "small-Q4_K_M.gguf": someBytes(100, 1), "large-Q4_K_M.gguf": someBytes(200, 2) },
  });
  await hub.add({ ...variantsRepo("acme/secret-GGUF"), private: true, allowed: ["hf_ok"] });
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Room for everything, beside the half GiB that is left alone. */
const PLENTY: FreeMemory = { device: 0, host: 600 * MIB };

function choose(model: ModelReference, free = PLENTY): Promise<ModelSelection> {
  const settings = { hubUrl: hub.url, originAllowlist: ["huggingface.co/*"], engineArgs: [] };
  return selectModel({
    ...{ model, settings },
    hub: new HubClient({
      hubUrl: hub.url,
      token: null,
      allowlist: [],
      log: silent,
      cache: new MemoryHubCache(),
    }),
    free: () => Promise.resolve(free),
    header: () => Promise.resolve(undefined),
    signal: new AbortController().signal,
  });
}

async function refusal(model: ModelReference, free = PLENTY): Promise<string> {
  const error = await failing(choose(model, free));
  const told = explainPullError(error, { ...model, hubUrl: hub.url, hasToken: false });
  return errorMessage(told);
}

function names({ files }: ModelSelection): string[] {
  return files.map(({ filename }) => filename).sort();
}

test("Q4_K_M is taken where it fits, with the image projector", async () => {
  const choice = await choose({ reference: REPO });
  expect(choice.manifest.model).toBe(`hf/${REPO}`);
  expect(choice.candidate.quantization).toBe("Q4_K_M");
  expect(names(choice)).toEqual(["Llama-3-8B-Q4_K_M.gguf", "mmproj-F16.gguf"]);
  expect(choice.notes).toEqual([]);
});

test.each([
  ["a quantization, however it is spelled", { reference: `${REPO}:q8_0` }, "Llama-3-8B-Q8_0.gguf"],
  ["an id", { reference: `hf/${REPO}:Q8_0` }, "Llama-3-8B-Q8_0.gguf"],
])("what is named is taken: %s", async (_, model, first) => {
  const choice = await choose(model);
  expect(choice.manifest.model).toBe(`hf/${REPO}`);
  expect(names(choice)[0]).toBe(first);
});

test("names of files in lower case are the same quantizations", async () => {
  await hub.add(lowercaseRepo());
  const repo = "acme/qwen3-8b-gguf";
  expect(names(await choose({ reference: repo }))).toEqual(["qwen3-8b-q4_k_m.gguf"]);
  for (const quantization of ["Q8_0", "q8_0"]) {
    const choice = await choose({ reference: `${repo}:${quantization}` });
    expect(choice.candidate).toMatchObject({ quantization: "q8_0", sizeBytes: 8000 });
  }
});

test("a file that is named is a model of its own, with all its parts", async () => {
  const file = "BF16/Llama-3-8B-BF16-00002-of-00003.gguf";
  const byFlag = await choose({ reference: REPO, filename: file });
  const byUrl = await choose({ reference: `${hub.url}/${REPO}/blob/main/${file}` });
  for (const choice of [byFlag, byUrl]) {
    const first = file.replace("00002-of", "00001-of");
    expect(choice.manifest.model).toBe(`hf/${REPO}/${first}`);
    expect(names(choice)).toHaveLength(4);
    expect(choice.candidate.sizeBytes).toBe(15_000);
  }
});

test("where nothing fits, the numbers are told, and what one may pull anyway", async () => {
  const text = await refusal({ reference: REPO }, { device: 0, host: 512 * MIB });
  expect(text).toContain("the smallest, Q4_K_M, takes 4.4 KiB");
  expect(text).toContain("512 MiB of host memory are free");
  expect(text).toContain("There are: Q4_K_M (3.9 KiB), Q8_0 (7.8 KiB), BF16 (14.6 KiB).");
  expect(text).toContain(`is fetched anyway: ${REPO}:Q4_K_M`);
});

test("what is named is pulled even if it does not fit, and what would fit is told", async () => {
  const tight = { device: 0, host: 512 * MIB + 10_000 };
  const { candidate, notes } = await choose({ reference: `${REPO}:BF16` }, tight);
  expect(candidate.quantization).toBe("BF16");
  expect(notes).toEqual([
    `BF16 takes about 15.1 KiB of memory, but 512.0 MiB of host memory are free: it may not run \
here now. What fits: Q4_K_M (3.9 KiB), Q8_0 (7.8 KiB).`,
  ]);
});

test.each<[string, ModelReference, string]>([
  ["a quantization that is not there", { reference: `${REPO}:Q5_0` }, "has no Q5_0. There are: Q4"],
  [
    "two that are one by their name",
    { reference: "acme/two-GGUF" },
    "Name one of them: acme/two-GGUF/large-Q4",
  ],
  ["the same, named", { reference: "acme/two-GGUF:Q4_K_M" }, "several files with Q4_K_M: large-Q4"],
  ["safetensors", { reference: "acme/Qwen3-0.6B" }, "has no GGUF files"],
  ["an adapter", { reference: "acme/Qwen3-lora" }, "is an adapter (LoRA)"],
  ["no repository", { reference: "acme/nothing" }, "acme/nothing is not at http"],
  ["a private one", { reference: "acme/secret-GGUF" }, "If it is private, set HF_TOKEN"],
  ["no file", { reference: REPO, filename: "x.gguf" }, "not found in repository"],
  ["no path", { reference: REPO, filename: "/x.gguf" }, "The file must be a path in"],
  ["no revision", { reference: `${REPO}/tree/v9` }, "no such branch, tag or commit"],
  ["no name", { reference: "llama" }, "must be org/name"],
  ["two files", { reference: `${REPO}/a.gguf`, filename: "b.gguf" }, "name one of them"],
  ["both", { reference: `${REPO}:Q8_0`, filename: "b.gguf" }, "names Q8_0, and --file b.gguf"],
])("what cannot be chosen is told: %s", async (_, model, text) => {
  expect(await refusal(model)).toContain(text);
});

test("a name that has moved is told", async () => {
  await hub.add(variantsRepo("acme/Old-GGUF"));
  hub.rename("acme/Old-GGUF", "acme/New-GGUF");
  const { manifest, notes } = await choose({ reference: "acme/Old-GGUF" });
  expect(manifest.model).toBe("hf/acme/New-GGUF");
  expect(notes).toEqual(["acme/Old-GGUF is called acme/New-GGUF on the hub."]);
});
