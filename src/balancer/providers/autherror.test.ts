import { describe, expect, test } from "bun:test";
import { ModelRewrite } from "../../http/proxy/rewrite/model.ts";
import type { Dialect } from "../../wire/error.ts";
import { type AuthErrorOptions, AuthErrorRewrite } from "./autherror.ts";
import { OPENAI } from "./openai.ts";
import { Provider, type ProviderOptions } from "./provider.ts";

const KEY = "sk-secret-1";

interface Line {
  fields: Record<string, unknown>;
  event: string;
}

function refusal(given: Partial<ProviderOptions> = {}, dialect: Dialect = "openai") {
  const lines: Line[] = [];
  const warn = (fields: Line["fields"], event: string) => lines.push({ fields, event });
  const log = { warn } as unknown as AuthErrorOptions["log"];
  const provider = new Provider({
    ...{ name: "openai", api: OPENAI.api, url: "http://h", apiKey: KEY, keyName: "OPENAI_API_KEY" },
    ...given,
  });
  const rewrite = new ModelRewrite("mine");
  const made = new AuthErrorRewrite({ provider, rewrite, dialect, requestId: "r1", log });
  const answer = async (status: number, json: object) => {
    const { bytes, ...rest } = await made.whole(Buffer.from(JSON.stringify(json)), status);
    return { json: JSON.parse(Buffer.from(bytes).toString()), ...rest };
  };
  return { answer, lines };
}

const WRONG_KEY = {
  error: { message: `Incorrect API key: ${KEY}.`, type: "x", code: "invalid_api_key" },
};

describe("an answer that refuses the key of a cloud", () => {
  test.each<[number, object]>([
    [401, WRONG_KEY],
    [403, { error: { message: "Not from this country.", code: "unsupported_country" } }],
    // Google's way.
    [400, { error: { code: 400, message: "no", details: [{ reason: "API_KEY_INVALID" }] } }],
  ])("with %d becomes a 502 that names the setting", async (status, json) => {
    const { answer, lines } = refusal();
    const told = await answer(status, json);
    expect(told).toMatchObject({ status: 502, headers: { "x-should-retry": "false" } });
    expect(told.json.error).toMatchObject({ code: "provider_key_rejected", param: null });
    expect(told.json.error.message).toContain("OPENAI_API_KEY");
    expect(lines).toMatchObject([{ event: "cloud.key_rejected", fields: { status } }]);
    expect(JSON.stringify([told.json, lines])).not.toContain(KEY);
  });

  test("is told in the client's dialect, and of an operator's cloud by its name", async () => {
    const { answer } = refusal({ name: "own", keyName: undefined }, "anthropic");
    const { json } = await answer(401, WRONG_KEY);
    expect(json).toMatchObject({ type: "error", error: { type: "api_error" }, request_id: "r1" });
    expect(json.error.message).toContain("--provider own=");
  });
});

test.each<[number, object]>([
  [429, { error: { message: "slow down", type: "rate_limit_error" } }],
  [403, { error: { message: "no such model for you", code: "model_not_found" } }],
  [200, { model: "theirs" }],
])("any other answer passes: %d", async (status, json) => {
  const { answer, lines } = refusal();
  const told = await answer(status, json);
  expect(told.status).toBeUndefined();
  expect(told.json).toEqual("model" in json ? { model: "mine" } : json);
  expect(lines).toEqual([]);
});
