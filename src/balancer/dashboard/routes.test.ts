import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../http/server/app.ts";
import { Drain } from "../../http/server/drain.ts";
import { createLogger } from "../../lib/log.ts";
import { type BundledFile, packBundle, unpackBundle } from "./bundle.ts";
import { routeDashboardFiles } from "./routes.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const FILES: BundledFile[] = [
  {
    ...{ path: "page.html", type: "text/html; charset=utf-8", etag: "p" },
    bodies: { identity: bytes("<p>page</p>") },
  },
  {
    ...{ path: "assets/main-1.js", type: "text/javascript", etag: "m" },
    bodies: { identity: bytes("main()"), gzip: bytes("zipped"), br: bytes("brotli") },
  },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-bundle-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function appWith(files: BundledFile[] | undefined) {
  const path = join(folder, crypto.randomUUID());
  if (files !== undefined) await Bun.write(path, packBundle(files));
  const app = createApp({ log: createLogger({ level: "silent" }), drain: new Drain() });
  routeDashboardFiles(app, path);
  return (route: string, headers: Record<string, string> = {}) =>
    app.request(`http://localhost${route}`, { headers });
}

test("a bundle has its files' bytes in every coding", () => {
  const files = unpackBundle(packBundle(FILES));
  expect([...files.values()]).toEqual(FILES);
});

test("every path shows the page, which is asked for again each time", async () => {
  const ask = await appWith(FILES);
  for (const path of ["/dashboard", "/dashboard/", "/dashboard/endpoints/a%2Fb"]) {
    const answer = await ask(path);
    expect([path, answer.status, await answer.text()]).toEqual([path, 200, "<p>page</p>"]);
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'self'");
  }
});

test.each([
  ["br, gzip", "brotli", "br"],
  ["gzip", "zipped", "gzip"],
  ["br;q=0, gzip;q=0.5", "zipped", "gzip"],
  ["", "main()", null],
])("a client that takes %p gets %p", async (accepted, body, coding) => {
  const ask = await appWith(FILES);
  const answer = await ask("/dashboard/assets/main-1.js", { "accept-encoding": accepted });
  expect([await answer.text(), answer.headers.get("content-encoding")]).toEqual([body, coding]);
  expect(answer.headers.get("cache-control")).toContain("immutable");
  expect(answer.headers.get("vary")).toContain("accept-encoding");
});

test("what a browser has already is not sent again", async () => {
  const ask = await appWith(FILES);
  const etag = (await ask("/dashboard")).headers.get("etag") ?? "";
  const answer = await ask("/dashboard", { "if-none-match": etag });
  expect([answer.status, await answer.text()]).toEqual([304, ""]);
});

test("a file of an older page is not there, rather than the page in its place", async () => {
  const answer = await (await appWith(FILES))("/dashboard/assets/main-0.js");
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { code: "file_not_found" } });
});

test("a checkout that was never built says what to do", async () => {
  const answer = await (await appWith(undefined))("/dashboard");
  expect(answer.status).toBe(503);
  expect((await answer.json()).error.message).toContain("npm start");
});
