import { describe, expect, test } from "bun:test";
import { diagnoseCrash, diagnoseLoad } from "./diagnosis.ts";

const FAILED = "llama.cpp could not load the model";

describe("a load error", () => {
  test("is explained by the most telling line", () => {
    const lines = [
      "read: string length 1023938925110 exceeds maximum 1073741824",
      "gguf_init_from_reader: failed to read key-value pairs",
      "llama_model_load: error loading model: llama_model_loader: failed to load model from a",
      "srv    load_model: failed to load model, 'a'",
    ];
    expect(diagnoseLoad(FAILED, lines).reason).toBe("corrupt");
  });

  test.each([
    ["llama_init_from_model: failed to initialize the context: n_seq_max must be <= 256", "<= 256"],
    ["llama_init_from_model: quantized V cache requires flash_attn to be enabled", "flash_attn"],
    ["llama_adapter_lora_init: failed to open '/a': No such file or directory", "/a cannot be"],
    ["gguf_init_from_file: failed to open GGUF file '/a' (No such file or directory)", "No such"],
    ["something_new: the weights are of the wrong kind", "wrong kind"],
  ])("tells the line that says why, not what followed: %s", (line, reason) => {
    const lines = [
      line,
      "common_fit_params: encountered an error while trying to fit params to free device memory",
      "llama_model_load_from_file_impl: failed to load model",
      "cmn  common_init_: failed to create context with model 'a'",
      "srv    load_model: failed to create_context with model 'a'",
    ];
    expect(diagnoseLoad(FAILED, lines).why).toContain(reason);
  });

  test("of a projector names the projector", () => {
    const lines = [
      "gguf_init_from_reader: failed to read key-value pairs",
      "clip_init: failed to load model '/p.gguf': Key not found: clip.vision.patch_size",
    ];
    const { why } = diagnoseLoad(FAILED, lines);
    expect(why).toContain("projector /p.gguf");
    expect(why).toContain("patch_size");
  });
});

describe("a crash", () => {
  const crash = { code: null, signal: "SIGSEGV" };

  test("is told by what the process said of it, not by what was printed around that", () => {
    const lines = [
      "============================================================",
      "Bun v1.4.5 (a7733435c) Linux x64",
      "panic: Segmentation fault at address 0x10",
      "oh no: Bun has crashed. This indicates a bug in Bun, not your code.",
      " https://bun.report/1.4.5/la1",
    ];
    const { reason, why } = diagnoseCrash(crash, lines);
    expect(reason).toBe("crashed");
    expect(why).toEndWith("SIGSEGV. It said: panic: Segmentation fault at address 0x10");
  });

  test("names the assertion before its backtrace", () => {
    const lines = ["ggml.c:12: GGML_ASSERT(a > 0) failed", "#1 0x1234 in main ()"];
    expect(diagnoseCrash(crash, lines).why).toContain("GGML_ASSERT(a > 0)");
  });

  test("of a library that cannot be loaded tells the loader's words, not a stack", () => {
    const lines = [
      "unexpected error: Error: libcuda.so.1: cannot open shared object file",
      "    at execute (/llmlb/src/engine/process.ts:29:7)",
    ];
    const { why } = diagnoseCrash({ code: 1, signal: null }, lines);
    expect(why).toEndWith(
      "It said: unexpected error: Error: libcuda.so.1: cannot open shared object file",
    );
  });

  test("of a folder that no library may be loaded from tells that, and no path", () => {
    const at = "/srv/h/native/db4/libllmlb.so";
    const exit = { code: 1, signal: null };
    const said = (reason: string) => [`error: Failed to open library "${at}": ${at}: ${reason}`];
    const noexec = diagnoseCrash(exit, said("failed to map segment from shared object"));
    expect(noexec).toMatchObject({ reason: "broken_library" });
    expect(noexec.why).toMatch(/^libllmlb\.so cannot be loaded: .* mounted noexec/);
    const short = diagnoseCrash(exit, said("file too short"));
    const why =
      "libllmlb.so cannot be loaded: libllmlb.so: file too short. `llmlb doctor` tells more.";
    expect(short).toEqual({ reason: "broken_library", why });
    expect(noexec.why).not.toContain("/srv");
  });

  test("for want of a library of the system names it and its package", () => {
    const lacking = (name: string) => [
      `error: Failed to open library "/h/native/db4/libllmlb.so": ${name}: cannot open shared \
object file: No such file or directory`,
    ];
    const { reason, why } = diagnoseCrash({ code: 1, signal: null }, lacking("libstdc++.so.6"));
    expect(reason).toBe("broken_library");
    expect(why).toMatch(
      /^the system lacks the library libstdc\+\+\.so\.6, .* libstdc\+\+6 on Debian/,
    );
    const other = diagnoseCrash({ code: 1, signal: null }, lacking("libvulkan.so.1"));
    expect(other.why).toEndWith(
      "libvulkan.so.1, which llama.cpp needs. Install the package that \
it belongs to.",
    );
  });

  test("that llama.cpp caused itself because of an argument tells it", () => {
    const exit = { code: 1, signal: null };
    const lines = ["error: the supplied chat template is not supported: x"];
    expect(diagnoseCrash(exit, lines)).toMatchObject({ reason: "bad_arguments" });
    expect(diagnoseCrash(exit, lines).why).toStartWith("the supplied chat template is not");
  });

  test("by want of memory says so", () => {
    const { reason } = diagnoseCrash(crash, ["ggml_backend_cuda: out of memory"]);
    expect(reason).toBe("out_of_memory");
  });
});
