import { expect, test } from "bun:test";
import type { Pooling } from "../../model/capability.ts";
import { chooseTask, type EngineTask, modelCapabilities, taskArgs } from "./task.ts";

const TASKS = ["generate", "embed", "rerank", undefined] as const;

function row(pooling: Pooling | undefined, engineArgs: string[] = []): (EngineTask | "refused")[] {
  return TASKS.map((task) => {
    try {
      return chooseTask({ modelId: "m", task, pooling, engineArgs });
    } catch (error) {
      expect(error).toMatchObject({ status: 400, code: "model_capability_mismatch" });
      return "refused";
    }
  });
}

test("the engine for a request follows from the model's pooling", () => {
  expect(row(undefined)).toEqual(["generate", "embed", "refused", "generate"]);
  for (const pooling of ["mean", "cls", "last"] as const) {
    expect(row(pooling)).toEqual(["refused", "embed", "refused", "embed"]);
  }
  expect(row("rank")).toEqual(["refused", "refused", "rerank", "rerank"]);
});

test("an operator's --embeddings or --reranking makes one engine for everything", () => {
  expect(row(undefined, ["--embeddings"])).toEqual(Array(4).fill("generate"));
  expect(row("mean", ["--reranking"])).toEqual(Array(4).fill("generate"));
});

test("an embedding engine pools by mean unless the model or the operator says how", () => {
  expect(taskArgs("embed", undefined, []).slice(0, 3)).toEqual([
    "--embeddings",
    "--pooling",
    "mean",
  ]);
  expect(taskArgs("embed", undefined, []).join(" ")).toContain("--ctx-size 8192 --parallel 4");
  expect(taskArgs("embed", "last", []).join(" ")).not.toMatch(/--pooling|--ctx-size/);
  expect(taskArgs("embed", undefined, ["--pooling", "cls"])).not.toContain("--pooling");
  expect(taskArgs("generate", undefined, [])).toEqual([]);
  expect(taskArgs("rerank", "rank", [])).toEqual(["--reranking", "--cache-ram", "0"]);
});

test("what a model can do follows from its pooling and its projector", () => {
  const chat = ["chat", "completion", "embeddings"] as const;
  const both = { vision: true, audio: true };
  expect(modelCapabilities({ pooling: undefined }, [])).toEqual([...chat]);
  expect(modelCapabilities({ pooling: undefined, projector: both }, [])).toEqual([
    ...[...chat, "vision" as const, "speech_to_text" as const],
  ]);
  expect(modelCapabilities({ pooling: "cls", projector: both }, [])).toEqual(["embeddings"]);
  expect(modelCapabilities({ pooling: "rank" }, [])).toEqual(["rerank"]);
  expect(modelCapabilities({ pooling: undefined }, ["--embeddings"])).toBeUndefined();
});
