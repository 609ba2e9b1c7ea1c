import { describe, expect, test } from "bun:test";
import { send } from "../../testkit/forwarding.ts";
import { rawAnswer, rawTarget } from "../../testkit/servers/tcp.ts";
import type { ForwardOptions } from "./forward.ts";

const JSON_TYPE = "application/json";

describe("an error that is not in the client's API", () => {
  const HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>";
  const openai = (message: string, type: string, code: string) => ({
    error: { message, type, code, param: null },
  });
  const at = "The request failed at endpoint e";
  const invalid = "invalid_request_error";
  const MODEL = { whole: (bytes: Buffer) => ({ bytes }), stream: () => failing() };
  const failing = () => {
    throw new Error("no stream");
  };

  test.each<[string, string, string, object, Partial<ForwardOptions>?]>([
    [
      "404 Not Found",
      "not here",
      "text/plain",
      openai(`${at} (404): not here`, "not_found_error", "not_found"),
    ],
    [
      "404 Not Found",
      "",
      "text/plain",
      openai(`${at} (404): it did not say why.`, "not_found_error", "not_found"),
    ],
    [
      "502 Bad Gateway",
      HTML,
      "text/html",
      openai(`${at} (502): it did not say why.`, "service_unavailable", "upstream"),
    ],
    ["422 Unprocessable", '{"detail":"no"}', JSON_TYPE, openai("no", invalid, "invalid_request")],
    [
      "400 Bad Request",
      "not JSON",
      JSON_TYPE,
      openai(`${at} (400): not JSON`, invalid, "invalid_request"),
    ],
    [
      "400 Bad Request",
      "odd",
      "text/plain",
      openai(`${at} (400): odd`, invalid, "invalid_request"),
      { rewrite: MODEL },
    ],
    [
      "400 Bad Request",
      '{"error":{"message":"no","type":"x","code":null,"param":null}}',
      JSON_TYPE,
      { type: "error", error: { type: invalid, message: "no" }, request_id: "req_1" },
      { dialect: "anthropic" },
    ],
    [
      "400 Bad Request",
      '{"error":{"message":"no"}}',
      JSON_TYPE,
      { error: "no" },
      { dialect: "ollama" },
    ],
  ])("is told in it: %s %s", async (status, body, type, told, more = {}) => {
    using target = rawTarget((c) => c.send(rawAnswer(body, type, status)));
    const { response } = await send(target.url, more);
    expect(response.status).toBe(Number.parseInt(status, 10));
    expect(response.headers.get("content-type")).toBe(JSON_TYPE);
    expect(await response.json()).toEqual(told);
  });

  test.each<[string, Partial<ForwardOptions>]>([
    ['{ "error": {"message": "m", "more": 1} }', {}],
    ['{ "error": "text" }', {}],
    ['{ "type": "error", "error": {"type": "t", "message": "m"} }', { dialect: "anthropic" }],
    ['{ "error": "text" }', { dialect: "ollama" }],
  ])("is left as it is where it is in it: %s %j", async (body, more) => {
    using target = rawTarget((c) => c.send(rawAnswer(body, JSON_TYPE, "400 Bad Request")));
    expect(await (await send(target.url, more)).response.text()).toBe(body);
  });
});
