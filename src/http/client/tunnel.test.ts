import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeProxy, fakeProxy } from "../../testkit/servers/proxy.ts";
import { exchange } from "./exchange.ts";

const folder = mkdtempSync(join(tmpdir(), "llmlb-tunnel-"));
const LARGE = Buffer.alloc(3_000_000, "0123456789abcdef!");
let server: Bun.Server<undefined> | undefined;

beforeAll(() => {
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  const options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=cloud.invalid".split(" ");
  const names = ["-addext", "subjectAltName=DNS:cloud.invalid"];
  Bun.spawnSync(["openssl", ...options, ...names, "-keyout", key, "-out", cert]);
  const tls = { key: Bun.file(key), cert: Bun.file(cert) };
  server = Bun.serve({ port: 0, tls, fetch: answer });
});

afterAll(() => {
  server?.stop(true);
  rmSync(folder, { recursive: true });
});

async function answer(request: Request): Promise<Response> {
  if (request.url.endsWith("/large")) return new Response(LARGE);
  const bytes = await request.bytes();
  return Response.json({ host: request.headers.get("host"), bytes: bytes.length });
}

/** In a process of its own, because authorities are read at start. */
async function run(fake: FakeProxy, { host = "cloud.invalid", script = "", trusted = true } = {}) {
  const module = new URL("exchange.ts", import.meta.url).href;
  const program = `const { exchange } = await import(${JSON.stringify(module)});
    const proxy = ${JSON.stringify({ ...fake.proxy, authorization: "Basic eA==" })};
    const url = "https://${host}:${server?.port}";
    const call = (path = "/", body = null) => exchange({ url: url + path, proxy, method: "POST",
      headers: {}, body, keepAlive: true }).bytes(1e7);
    try { ${script || "console.log(Buffer.from(await call()).toString());"} }
    catch (error) { console.log(error.code, error.message) }
    process.exit(0);`;
  const authority = trusted ? { NODE_EXTRA_CA_CERTS: join(folder, "cert") } : {};
  const env = { ...process.env, ...authority };
  const child = Bun.spawn([process.execPath, "-e", program], { env, stderr: "inherit" });
  return (await new Response(child.stdout).text()).trim();
}

describe("through a proxy, TLS", () => {
  test("goes in one tunnel that is used again, and the proxy sees nothing of it", async () => {
    using fake = fakeProxy(server?.port ?? 0);
    const script = `for (let i = 0; i < 3; i++) console.log((await call()).length > 0);
      console.log(Buffer.from(await call("/", Buffer.alloc(2_000_000))).toString());
      const large = await call("/large");
      const wanted = "0123456789abcdef!";
      const isWhole = large.every((byte, i) => byte === wanted.charCodeAt(i % 17));
      console.log(large.length, isWhole);`;
    const lines = (await run(fake, { script })).split("\n");
    const host = `cloud.invalid:${server?.port}`;
    expect(lines).toEqual([
      ...["true", "true", "true"],
      JSON.stringify({ host, bytes: 2_000_000 }),
      `${LARGE.length} true`,
    ]);
    expect(fake.asked).toEqual([
      `CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\nproxy-authorization: Basic eA==\r\n\r\n`,
    ]);
  });

  test("checks the server's certificate, not the proxy's word", async () => {
    using fake = fakeProxy(server?.port ?? 0);
    expect(await run(fake, { trusted: false })).toStartWith("certificate ");
    expect(await run(fake, { host: "other.invalid" })).toStartWith("certificate ");
  });

  test("is waited for by a slow reader's server, and given up with the request", async () => {
    using fake = fakeProxy(server?.port ?? 0);
    const script = `const slow = exchange({ url: url + "/large", proxy, method: "GET", headers: {},
        body: null, keepAlive: true });
      await slow.head;
      await Bun.sleep(50);
      let size = 0;
      for (let piece; (piece = await slow.read()) !== undefined; size += piece.length) {
        await Bun.sleep(1);
      }
      const left = exchange({ url: url + "/large", proxy, method: "GET", headers: {}, body: null,
        keepAlive: true });
      await left.head;
      left.abort(new Error("gone"));
      console.log(size);
`;
    const output = run(fake, { script });
    expect(await output).toBe(String(LARGE.length));
  });

  test.each([
    ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "answered HTTP 407"],
    ["HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", "answered HTTP 403"],
    ["SSH-2.0-server\r\n\r\n", "did not answer as proxies do"],
    ["HTTP/1.1 200 OK\r\n\r\nhello", "said more than it should"],
    [`HTTP/1.1 200 OK\r\nx: ${"x".repeat(20_000)}`, "answered too much"],
  ])("is not begun where the proxy says %j", async (said, words) => {
    using fake = fakeProxy(0, () => said);
    const url = "https://cloud.invalid/";
    const request = { url, method: "GET", headers: {}, body: null, keepAlive: true };
    const failing = exchange({ ...request, proxy: fake.proxy }).bytes(99);
    await expect(failing).rejects.toMatchObject({
      code: "connect",
      message: expect.stringContaining(`the proxy ${fake.proxy.origin} ${words}`),
    });
  });

  test("fails where there is no proxy", async () => {
    const proxy = { origin: "http://127.0.0.1:9", hostname: "127.0.0.1", port: 9 };
    const url = "https://cloud.invalid/";
    const asked = exchange({ url, proxy, method: "GET", headers: {}, body: null, keepAlive: true });
    await expect(asked.head).rejects.toMatchObject({
      code: "connect",
      message: expect.stringContaining("the proxy http://127.0.0.1:9 could not be reached"),
    });
  });
});
