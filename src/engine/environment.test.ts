import { expect, test } from "bun:test";
import { engineEnvironment } from "./environment.ts";

test("engines get what drivers and libraries need, and no key", () => {
  const needed = {
    ...{ PATH: "/bin", HOME: "/root", LC_ALL: "C", LD_LIBRARY_PATH: "/cuda", Path: "C:\\" },
    ...{ CUDA_VISIBLE_DEVICES: "0", GGML_CUDA_FORCE_MMQ: "1", ROCR_VISIBLE_DEVICES: "1" },
    ...{ LLAMA_ARG_CTX_SIZE: "5", OMP_NUM_THREADS: "2", LLMLB_HOME: "/h", __GL_SYNC: "1" },
  };
  const secret = {
    ...{ OPENAI_API_KEY: "a", HF_TOKEN: "b", LLMLB_TOKEN: "c", AWS_SECRET_ACCESS_KEY: "d" },
    ...{
      LLAMA_API_KEY: "e",
      LLAMA_ARG_HF_TOKEN: "f",
      HTTPS_PROXY: "http://u:p@h",
      PGPASSWORD: "g",
    },
    ...{ SSH_AUTH_SOCK: "/s", XDG_SECRET: "h", LD_PRELOAD: "/evil.so", UNKNOWN: "i" },
  };
  expect(engineEnvironment({ ...needed, ...secret })).toEqual(needed);
});
