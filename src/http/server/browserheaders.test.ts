import { expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { createApp } from "./app.ts";
import { setBrowserHeaders } from "./browserheaders.ts";
import { Drain } from "./drain.ts";
import { HostCheck } from "./host.ts";

function headersOf(url: string, own: Record<string, string>): Record<string, string> {
  const headers = new Headers(own);
  setBrowserHeaders(headers, url);
  return Object.fromEntries([...headers]);
}

test("no answer is taken for another type than it says", () => {
  const json = { "content-type": "application/json" };
  expect(headersOf("http://a/v1/models", json)).toEqual({
    ...{ ...json, "x-content-type-options": "nosniff" },
  });
});

test.each(["https://localhost:1/", "https://127.0.0.1/", "https://[::1]:2/", "http://llm.lan/"])(
  "%s does not bind a browser to TLS",
  (url) => {
    expect(headersOf(url, {})).not.toHaveProperty("strict-transport-security");
  },
);

test("a name with TLS is reached by TLS only from then on", () => {
  for (const url of ["https://llm.lan/", "https://localhost.example.com:8443/"]) {
    expect(headersOf(url, {})).toMatchObject({ "strict-transport-security": "max-age=31536000" });
  }
});

test("pages stand in no frame and load nothing from elsewhere, unless they say otherwise", () => {
  const html = { "content-type": "text/html; charset=utf-8" };
  expect(headersOf("http://a/", html)).toMatchObject({
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
  });
  const own = { ...html, "content-security-policy": "default-src 'none'" };
  expect(headersOf("http://a/", own)).toMatchObject(own);
});

test("answers and refusals of an app have them", async () => {
  const log = createLogger({ level: "silent" });
  const app = createApp({ log, drain: new Drain(), hosts: new HostCheck() });
  app.get("/page", (c) => c.html("<p>here"));
  const page = await app.fetch(new Request("http://localhost/page"));
  expect(page.headers.get("x-frame-options")).toBe("DENY");
  const missing = await app.fetch(new Request("http://localhost/none"));
  expect([missing.status, missing.headers.get("x-content-type-options")]).toEqual([404, "nosniff"]);
});
