import { expect, test } from "bun:test";
import { parseEndpoint } from "../../config/values/endpoint.ts";
import { compatibleApi } from "../providers/openai.ts";
import { Provider } from "../providers/provider.ts";
import { Endpoint } from "./endpoint.ts";

/** What the endpoint and the cloud of an address are sent for a chat. */
function targetsOf(address: string) {
  const parsed = parseEndpoint(address);
  if (typeof parsed === "string") throw new Error(parsed);
  const { name, url, apiKey } = parsed;
  const upstreams = [
    new Endpoint({ name, url, apiKey }),
    new Provider({ name, url, apiKey, api: compatibleApi(false) }),
  ];
  return upstreams.map((upstream) => upstream.target("/v1/chat/completions"));
}

test.each([
  ["http://KEY@e", "http://e/v1/chat/completions", "Bearer KEY"],
  ["http://KEY@e/v1", "http://e/v1/chat/completions", "Bearer KEY"],
  ["https://KEY@e/api/paas/v4", "https://e/api/paas/v4/chat/completions", "Bearer KEY"],
  ["https://e/v1beta/openai/", "https://e/v1beta/openai/chat/completions", undefined],
  ["http://user:p%40ss@e", "http://e/v1/chat/completions", "Basic dXNlcjpwQHNz"],
])("%s is asked at %s with %s", (address, url, authorization) => {
  for (const target of targetsOf(address)) {
    expect(target.url).toBe(url);
    expect(target.headers?.authorization).toBe(authorization as string);
  }
});
