import { expect, test } from "bun:test";
import { childEnvironment } from "./childenvironment.ts";

test("a child's environment has no settings, but what it needs", () => {
  const kept = {
    PATH: "/bin",
    LLMLB_HOME: "/h",
    HTTPS_PROXY: "http://p",
    CUDA_VISIBLE_DEVICES: "0",
  };
  const dropped = {
    ...{ OPENAI_API_KEY: "sk", LLMLB_OPENAI_API_KEY: "sk", HF_TOKEN: "hf", LLMLB_ENDPOINTS: "e" },
    ...{ LLMLB_TLS_KEY_PASSWORD: "p", LLMLB_ADMIN_PASSWORD: "p", GEMINI_API_KEY: "k" },
    ...{ OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer sk", LLMLB_OIDC_CLIENT_SECRET: "s" },
  };
  expect(childEnvironment({ ...kept, ...dropped })).toEqual(kept);
});
