import { describe, expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { TEST_SETTINGS } from "../../testkit/settings.ts";
import { ApiError, errorBody } from "../../wire/error.ts";
import { dialectOf } from "../../wire/route.ts";
import { createApp } from "./app.ts";
import { Drain } from "./drain.ts";
import { allowedHosts, HostCheck, type HostVerdict, judgeHost } from "./host.ts";

const MACHINE = "Gpu1";

function judged(header: string | null, allowed: string[] = [], machine = MACHINE): HostVerdict {
  return judgeHost(header, { machine, allowed });
}

describe("judgeHost", () => {
  test.each([
    ...[null, "", "localhost", "localhost:32768", "LOCALHOST", "localhost.", "localhost.:80"],
    ...["app.localhost:1", "a.b.localhost", "127.0.0.1", "127.0.0.1:32768", "127.1.2.3:"],
    ...["127.0.0.1.", "10.0.0.5:80", "203.0.113.9", "0.0.0.0:1"],
    ...["[::1]", "[::1]:32768", "[FE80::1]:1", "[fe80::1%eth0]:1", "[::ffff:127.0.0.1]"],
    ...["gpu1", "GPU1:32768", "gpu1.", "gpu1.local", "gpu1.local.:9"],
  ])("takes %p for this server", (header) => {
    expect(judged(header)).toBe("own");
  });

  test.each([
    ...["evil.example", "evil.example:32768", "EVIL.example.", "evil", "xlocalhost"],
    ...["localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.nip.io", "127.0.0.256"],
    ...["gpu1.evil.example", "gpu1.local.evil.example", "xgpu1", "x.gpu1.local", "2130706433"],
  ])("takes %p for another", (header) => {
    expect(judged(header)).toBe("foreign");
  });

  test.each([
    ...["a b", "a/v1/models", "a?b", "a#b", "user@localhost", "localhost\\evil", "a:80:90", "a:x"],
    ...[
      "localhost, evil.example",
      "localhost,evil",
      "a..b",
      "localhost..",
      ".",
      ".localhost",
      ":80",
    ],
    ...[
      "::1",
      "[::1",
      "[::1]x",
      "[localhost]",
      "[]",
      "[127.0.0.1]",
      "a:123456",
      "a:65536",
      "[::1]:99999",
      "ä.example",
    ],
    ...["%6cocalhost", "x".repeat(64), `${"a.".repeat(130)}localhost`, "*", "local\u0000host"],
  ])("takes %p for no host, whatever is allowed", (header) => {
    expect(judged(header)).toBe("malformed");
    expect(judged(header, ["*"])).toBe("malformed");
  });

  test("takes what is no host of a URL for none, also where any name is allowed", () => {
    const verdicts = ["127.0.0.256", "1.2.3.4.5", "a.999"].map((header) => judged(header, ["*"]));
    expect(verdicts).toEqual(["malformed", "malformed", "malformed"]);
  });

  test("knows the machine by its whole name, by the first part, and by no other domain", () => {
    const verdicts = (machine: string) =>
      ["gpu1.lan.example", "gpu1", "gpu1.local", "gpu1.evil.example", "lan.example"].map((header) =>
        judged(header, [], machine),
      );
    expect(verdicts("gpu1.lan.example")).toEqual(["own", "own", "own", "foreign", "foreign"]);
    expect(verdicts("gpu1.local.")).toEqual(["foreign", "own", "own", "foreign", "foreign"]);
    expect(verdicts("")).toEqual(Array(5).fill("foreign"));
  });

  test.each([
    [
      "llm.example",
      ["llm.example", "LLM.example:80"],
      ["a.llm.example", "example", "xllm.example"],
    ],
    [".example", ["example", "a.example", "b.a.example:1"], ["xexample", "example.evil"]],
    ["*.llm.example", ["a.llm.example", "b.a.llm.example"], ["llm.example", "xllm.example"]],
    ["*", ["evil.example", "anything"], []],
  ])("allows by %p what it says", (entry, own, foreign) => {
    for (const header of own) expect([header, judged(header, [entry])]).toEqual([header, "own"]);
    for (const header of foreign) {
      expect([header, judged(header, [entry])]).toEqual([header, "foreign"]);
    }
  });
});

test.each([
  [{}, []],
  [{ allowedHosts: ["a.example"], host: "0.0.0.0" }, ["a.example", "0.0.0.0"]],
  [
    { host: "Listen.example.", advertise: "https://Gpu.example:8443/base" },
    ["listen.example", "gpu.example"],
  ],
  [{ host: "::", advertise: "http://[fd00::1]:1" }, ["fd00::1"]],
])("settings %p name %p", (settings, names) => {
  const told = allowedHosts({ ...TEST_SETTINGS, ...{ host: "::1" }, ...settings });
  expect(told).toEqual(names);
});

function example(allowed?: string[]) {
  const app = createApp({
    log: createLogger({ level: "silent" }),
    drain: new Drain(),
    ...(allowed === undefined ? {} : { hosts: new HostCheck(allowed) }),
  });
  app.get("/health", (c) => c.text("up"));
  app.fast("/direct", async () => new Response("up"));
  app.post("/routed", (c) => c.text("up"));
  app.post("/v1/messages", (c) => c.text("up"));
  app.post("/api/chat", (c) => c.text("up"));
  return async (host: string, method: string, path: string) => {
    const headers = { host, "x-request-id": "mine" };
    const response = await app.request(path, { method, headers });
    const text = await response.text();
    const id = response.headers.get("x-request-id");
    return { status: response.status, id, body: text.startsWith("{") ? JSON.parse(text) : text };
  };
}

const ROUTES = [
  ["GET", "/health"],
  ["POST", "/direct"],
  ["POST", "/routed"],
  ["POST", "/v1/messages"],
  ["POST", "/api/chat"],
  ["OPTIONS", "/health"],
  ["DELETE", "/health"],
  ["GET", "/nowhere"],
] as const;

test.each(ROUTES)(
  "an app refuses foreign and malformed hosts in its own words: %s %s",
  async (method, path) => {
    const ask = example();
    const route = [method, path] as const;
    const foreign = await ask("Evil.example:32768", ...route);
    const message =
      "The request was refused: its Host header names evil.example, which is no name of \
this llmlb. If you reach it by that name, allow it with --allowed-hosts evil.example (or \
LLMLB_ALLOWED_HOSTS, or allowed_hosts in config.json).";
    const error = new ApiError("forbidden", message, { code: "host_not_allowed" });
    expect(foreign).toEqual({
      status: 403,
      id: "mine",
      body: errorBody(error, dialectOf(path), "mine"),
    });
    const malformed = await ask("evil.example/v1", ...route);
    expect(malformed).toMatchObject({ status: 400, id: "mine" });
    expect(JSON.stringify(malformed.body)).toContain("is no host name or address");
    // Told once more after it has seen others.
    for (const host of ["localhost:1", "127.0.0.1", "localhost:1"]) {
      expect((await ask(host, ...route)).status).toBe((await ask("", ...route)).status);
    }
    expect((await ask("evil.example", ...route)).status).toBe(403);
  },
);

test("an app serves the names that it is told, and forgets none of its rules", async () => {
  const ask = example([".llm.example"]);
  for (let i = 0; i < 1000; i += 1) {
    for (const [method, path] of [
      ["GET", "/health"],
      ["POST", "/direct"],
    ] as const) {
      expect((await ask(`h${i}.llm.example`, method, path)).body).toBe("up");
    }
  }
  expect((await ask("llm.example.evil", "POST", "/direct")).status).toBe(403);
});
