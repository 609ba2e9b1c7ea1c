import { describe, expect, test } from "bun:test";
import { forwardedHeaders, returnedHeaders, setRequestId } from "./headers.ts";

/** What every answer says. */
const OURS = { "x-request-id": "ours", "x-content-type-options": "nosniff" };

describe("forwardedHeaders", () => {
  test("passes what inference needs and no credentials", () => {
    const client = new Headers({
      authorization: "Bearer sk_client",
      "x-api-key": "sk_client",
      cookie: "session=1",
      origin: "http://elsewhere",
      host: "balancer",
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      traceparent: "00-1-2-01",
    });
    expect(forwardedHeaders(client, "req_1")).toEqual({
      "accept-encoding": "identity",
      "x-request-id": "req_1",
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      traceparent: "00-1-2-01",
    });
  });

  test("the target's own headers win", () => {
    const client = new Headers({ authorization: "Bearer sk_client", accept: "text/html" });
    const own = { authorization: "Bearer sk_endpoint" };
    expect(forwardedHeaders(client, "req_1", own)).toMatchObject(own);
  });
});

test("returnedHeaders drops the headers of a connection, of browsers, of an account", () => {
  const target = Object.entries({
    "content-type": "application/json",
    "retry-after": "3",
    "retry-after-ms": "2500",
    "x-should-retry": "false",
    "x-ratelimit-remaining": "7",
    "openai-organization": "org-1",
    "openai-project": "proj-1",
    "anthropic-organization-id": "o",
    connection: "keep-alive",
    "content-length": "12",
    "access-control-allow-origin": "*",
    "set-cookie": "a=b",
    "clear-site-data": "*",
    refresh: "0;url=http://elsewhere",
    "x-content-type-options": "none",
    "x-request-id": "theirs",
    server: "uvicorn",
  }).flat();
  expect(returnedHeaders(target, "ours")).toEqual({
    "content-type": "application/json",
    "retry-after": "3",
    "retry-after-ms": "2500",
    "x-should-retry": "false",
    "x-ratelimit-remaining": "7",
    ...OURS,
  });
});

describe("what Connection names goes no further", () => {
  const NAMED = ["X-Hop , ,keep-alive\t", "", "close,\tX-ROUTE,cache-control ,content-Type", "te"];

  test("in an answer, whatever the lines", () => {
    const target = [
      ...["x-hop", "1", "content-type", "application/json", "x-route", "a", "x-hop-not", "stays"],
      ...NAMED.flatMap((value) => ["connection", value]),
      ...["cache-control", "no-store", "x-route", "b", "te", "x", "proxy-connection", "x"],
    ];
    expect(returnedHeaders(target, "ours")).toEqual({
      "content-type": "application/json",
      "x-hop-not": "stays",
      ...OURS,
    });
  });

  test("in a request, whatever the lines", () => {
    const client = new Headers({ "content-type": "multipart/form-data; boundary=b" });
    for (const name of ["traceparent", "tracestate", "user-agent"]) client.set(name, "1");
    for (const value of [" TraceParent\t, ", "keep-alive,Content-Type,,user-agent"]) {
      client.append("connection", value);
    }
    expect(forwardedHeaders(client, "req_1")).toEqual({
      "accept-encoding": "identity",
      "content-type": "multipart/form-data; boundary=b",
      tracestate: "1",
      "x-request-id": "req_1",
    });
  });

  test("but what we say ourselves does", () => {
    const all = "authorization, x-request-id, request-id, accept-encoding";
    const own = { authorization: "Bearer sk_endpoint" };
    expect(forwardedHeaders(new Headers({ connection: all }), "ours", own)).toEqual({
      ...{ "accept-encoding": "identity", "x-request-id": "ours", ...own },
    });
    const target = ["connection", all, "request-id", "theirs", "x-request-id", "theirs"];
    expect(returnedHeaders(target, "ours", "anthropic")).toEqual({
      ...{ ...OURS, "request-id": "ours" },
    });
  });
});

test("Anthropic's clients find the id of a request by its own name there", () => {
  const own = ["request-id", "theirs"];
  expect(returnedHeaders([], "ours", "anthropic")).toMatchObject({ "request-id": "ours" });
  expect(returnedHeaders(own, "ours", "anthropic")).toEqual({
    ...{ ...OURS, "request-id": "theirs" },
  });
  for (const [path, told] of [
    ["/v1/messages", "ours"],
    ["/v1/messages/count_tokens", "ours"],
    ["/v1/models", null],
  ] as const) {
    const headers = new Headers();
    setRequestId(headers, "ours", path);
    expect([headers.get("x-request-id"), headers.get("request-id")]).toEqual(["ours", told]);
  }
});
