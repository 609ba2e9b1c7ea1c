import { describe, expect, test } from "bun:test";
import { type RunSettings, readRunSettings, settingArguments, withFiles } from "./runsettings.ts";

describe("a model's settings", () => {
  test("become arguments of llama-server, its own ones last", () => {
    const settings = readRunSettings({
      ...{ context: 8192, slots: "2", gpu_layers: "all", flash_attention: true },
      ...{ "cache-type-k": "Q8_0", temperature: 0.2, speculation: "ngram-simple" },
      ...{ lora: ["a.gguf", "b.gguf:0.5"], keep_alive: "10m", pinned: true },
      ...{ device: ["CUDA0", "CUDA1"], "tensor-split": "3, 1", split_mode: "Row", main_gpu: 1 },
      args: ["--temp", "0.3"],
    });
    expect(settings).toMatchObject({ ctx_size: 8192, parallel: 2, pin: true, keep_alive: "10m" });
    if (typeof settings === "string") throw new Error(settings);
    const text = settingArguments(settings).join(" ");
    expect(text).toBe(
      "--ctx-size 8192 --parallel 2 --gpu-layers all --device CUDA0,CUDA1 --split-mode row \
--tensor-split 3,1 --main-gpu 1 --cache-type-k q8_0 --flash-attn on \
--spec-type ngram-simple --temp 0.2 --lora a.gguf --lora-scaled b.gguf:0.5 --temp 0.3",
    );
  });

  test.each([
    [{ contxt: 1 }, 'there is no setting "contxt": did you mean "context"?'],
    [{ zzzzzzzzzzzz: 1 }, "others of llama-server go into args"],
    [{ context: -1 }, "context: must be a whole number from 0 to"],
    [{ context: "many" }, "context: must be a whole number"],
    [{ context: null }, "context: must be a whole number"],
    [{ context: 1, ctx_size: 2 }, "ctx_size: is there twice"],
    [{ gpu_layers: "some" }, "gpu_layers: must be a whole number from 0 to 100000, or one of auto"],
    [{ cache_type_k: "q9" }, "cache_type_k: must be one of f32"],
    [{ flash_attn: ["on"] }, "flash_attn: must be one of on"],
    [{ temp: "hot" }, "temp: must be a number from 0"],
    [{ args: "--temp 1" }, "args: must be a list of texts"],
    [{ args: [1] }, "args: must be a list of texts"],
    [{ keep_alive: "soon" }, "keep_alive: must be a time"],
    [{ pin: "yes" }, "pin: must be true or false"],
    [{ device: "" }, "device: must be names of devices such as CUDA0,CUDA1"],
    [{ device: ["CUDA0", "a b"] }, "device: must be names of devices"],
    [{ tensor_split: "most" }, "tensor_split: must be each device's share of the model"],
    [{ tensor_split: [3, -1] }, "tensor_split: must be each device's share"],
    [{ split_mode: "columns" }, "split_mode: must be one of none, layer, row, tensor"],
    [{ main_gpu: "CUDA0" }, "main_gpu: must be a whole number from 0"],
    [{ draft: "" }, "draft: must be the path of a file"],
  ])("that are wrong, as %j, are told with what is meant", (given, message) => {
    expect(readRunSettings(given)).toContain(message);
  });

  test.each<[RunSettings, string | undefined]>([
    [{}, undefined],
    [{ spec_type: "ngram-mod" }, "ngram-mod"],
    [{ model_draft: "d" }, "draft-simple"],
    [{ model_draft: "d", spec_type: "ngram-mod" }, "ngram-mod,draft-simple"],
    [{ model_draft: "d", spec_type: "draft-eagle3" }, "draft-eagle3"],
    [{ model_draft: "d", args: ["--spec-type", "draft-mtp"] }, "draft-mtp"],
  ])("make a draft model work: %j", (settings, type) => {
    const args = settingArguments(settings);
    expect(args.filter((arg) => arg === "--spec-type")).toHaveLength(type === undefined ? 0 : 1);
    expect(args[args.indexOf("--spec-type") + 1]).toBe(type ?? args[0]);
  });

  test("name files that lie elsewhere", () => {
    const settings = { model_draft: "d.gguf", lora: ["a.gguf:0.5"], pooling: "mean" };
    expect(withFiles(settings, (path) => `/m/${path}`)).toEqual({
      ...{ model_draft: "/m/d.gguf", lora: ["/m/a.gguf:0.5"], pooling: "mean" },
    });
  });
});
