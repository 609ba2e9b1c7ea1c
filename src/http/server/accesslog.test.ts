import { expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLogger } from "../../lib/log.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { eventually } from "../../testkit/eventually.ts";
import { ApiError } from "../../wire/error.ts";
import { createApp } from "./app.ts";
import { Drain } from "./drain.ts";

type Line = Record<string, unknown>;

/** An app that logs into a file, and the lines in it once there are so many. */
function setUp(home: string, isOn: boolean) {
  const path = join(home, "log");
  const descriptor = openSync(path, "a");
  const log = createLogger({ level: "silent", file: { descriptor: () => descriptor } });
  log.level = "info";
  const app = createApp({ log, drain: new Drain(), accessLog: () => isOn });
  const lines = (count: number) =>
    eventually(() => {
      const texts = readFileSync(path, "utf8").split("\n").slice(0, -1);
      return texts.length >= count ? texts.map((text) => JSON.parse(text) as Line) : undefined;
    });
  return { app, lines };
}

test("each request is one line, after its last byte; those of monitors are none", async () => {
  using home = temporaryHome();
  const { app, lines } = setUp(home.path, true);
  const sent = Promise.withResolvers<string>();
  app.get("/health", (c) => c.text("ok"));
  app.get("/v1/models", (c) => c.text("[]"));
  app.get("/dashboard/assets/*", (c) => c.text("…"));
  app.fast("/v1/chat/completions", async (scope) => {
    scope.set("model", "m");
    scope.set("sent", sent.promise);
    return new Response("…");
  });
  await app.request("/health");
  await app.request("/dashboard/assets/main.js");
  // A balancer's check of a node.
  await app.request("/v1/models", { headers: { "x-llmlb-hops": "a" } });
  await app.request("/v1/chat/completions?key=secret", { method: "POST" });
  await app.request("/none");
  expect(await lines(1)).toMatchObject([{ msg: "http.request", path: "/none", status: 404 }]);
  sent.resolve("cancelled");
  const [, line] = await lines(2);
  expect(line).toMatchObject({
    ...{ level: "info", msg: "http.request", method: "POST", path: "/v1/chat/completions" },
    ...{ status: 200, model: "m", outcome: "cancelled", ms: expect.any(Number) },
    request_id: expect.any(String),
  });
  expect(JSON.stringify(line).length).toBeLessThan(300);
});

test("a full disk is told as such, and where, but not where to clients", async () => {
  using home = temporaryHome();
  const { app, lines } = setUp(home.path, false);
  const system = "ENOSPC: no space left on device, open '/srv/secret/x'";
  for (const path of ["/v1/files", "/api/files"]) {
    app.get(path, () => {
      throw Object.assign(new Error(system), { code: "ENOSPC", path: "/srv/secret/x" });
    });
  }
  const client = await app.request("/v1/files");
  expect(client.status).toBe(507);
  const text = await client.text();
  expect(text).toContain("storage_full");
  expect(text).not.toContain("secret");
  expect(await (await app.request("/api/files")).text()).toContain("/srv/secret/x");
  const [line] = await lines(1);
  expect(line).toMatchObject({ level: "warn", code: "storage_full" });
  expect(line?.message).toContain(system);
});

test("an expected error is a short line without a stack, an unexpected one has it", async () => {
  using home = temporaryHome();
  const { app, lines } = setUp(home.path, false);
  app.get("/busy", () => {
    throw new ApiError("unavailable", "Nobody is there.", { cause: new TypeError("inner") });
  });
  app.get("/state", () => {
    throw new ApiError("model_not_loaded", "Nothing is wrong.");
  });
  app.get("/bug", () => {
    throw new TypeError("a bug");
  });
  await app.request("/state");
  await app.request("/busy");
  await app.request("/bug");
  const [busy, bug] = await lines(2);
  expect(busy).toMatchObject({ level: "warn", msg: "http.error", message: "Nobody is there." });
  expect(JSON.stringify(busy)).not.toContain("stack");
  expect(bug).toMatchObject({ level: "error", err: { stack: expect.any(String) } });
});
