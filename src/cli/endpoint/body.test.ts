import { expect, test } from "bun:test";
import { type EndpointFlags, endpointBody } from "./body.ts";

test("flags become what the API takes, and only those that were given", async () => {
  expect(await endpointBody({})).toEqual({});
  const flags = {
    ...{ name: "n", baseUrl: "http://a", key: "k", slots: "3", interval: "1m", timeout: "90" },
    ...{ capabilities: "embeddings, audio_speech", notes: "" },
  };
  expect(await endpointBody(flags)).toEqual({
    ...{ name: "n", base_url: "http://a", api_key: "k", slots: 3, notes: "" },
    ...{ health_check_interval_secs: 60, inference_timeout_secs: 90 },
    capabilities: ["embeddings", "audio_speech"],
  });
  const clear = "key,slots, interval,timeout,capabilities,notes";
  expect(await endpointBody({ clear })).toEqual({
    ...{ api_key: null, slots: null, capabilities: null, notes: null },
    ...{ health_check_interval_secs: null, inference_timeout_secs: null },
  });
});

test.each<[EndpointFlags, string]>([
  [{ slots: "0" }, "--slots 0: must be a whole number"],
  [{ slots: "2.5" }, "--slots 2.5"],
  [{ interval: "1500ms" }, "--interval 1500ms: must be a time in whole seconds"],
  [{ timeout: "soon" }, "--timeout soon"],
  [{ capabilities: "chat" }, "--capabilities chat: must be some of chat_completion"],
  [{ clear: "name" }, "--clear name: must be some of key"],
  [{ clear: "slots", slots: "2" }, "--clear slots: it cannot be set at the same time"],
])("%j is refused by name", async (flags, message) => {
  const failure = await endpointBody(flags).catch((error: Error) => error.message);
  expect(failure).toContain(message);
});
