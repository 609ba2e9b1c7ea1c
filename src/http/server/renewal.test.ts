import { afterAll, expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { makeCertificate } from "../../testkit/certificate.ts";
import { get } from "../client/get.ts";
import { createApp } from "./app.ts";
import type { Certificate } from "./certificate.ts";
import { Drain } from "./drain.ts";
import { listen } from "./listen.ts";

const [first, second] = ["first", "second"].map(
  (name): Certificate => ({
    ...makeCertificate({ name }),
    isSelfSigned: true,
    notBefore: 0,
    expiresAt: 0,
  }),
) as [Certificate, Certificate];

const app = createApp({ log: createLogger({ level: "silent" }), drain: new Drain() });
/** Lets the answer to `/held` end. */
const released = Promise.withResolvers<void>();
app.get("/held", () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const write = async () => {
    const writer = writable.getWriter();
    await writer.write(Buffer.from("begun, "));
    await released.promise;
    await writer.write(Buffer.from("ended"));
    await writer.close();
  };
  void write();
  return new Response(readable);
});
app.get("/url", (c) => c.text(c.req.url));

const listener = listen(app, { host: "127.0.0.1", port: 0, certificate: first });
afterAll(() => listener.stop(true));

function ask(path: string, { fingerprint }: Certificate): Promise<string> {
  const { signal } = new AbortController();
  const url = listener.url + path;
  const request = { url, fingerprint, headers: {}, timeoutMs: 5000, limitBytes: 1000, signal };
  return get(request).then(({ body }) => new TextDecoder().decode(body), String);
}

test("another certificate is shown at once, and what runs goes on", async () => {
  expect(listener.url).toStartWith("https://127.0.0.1:");
  expect(await ask("/url", first)).toBe(`${listener.url}/url`);
  const held = await fetch(`${listener.url}/held`, { tls: { rejectUnauthorized: false } });
  const text = held.text();

  listener.renew(second);
  expect(await ask("/url", second)).toBe(`${listener.url}/url`);
  expect(await ask("/url", first)).toContain("is not the pinned one");
  released.resolve();
  expect(await text).toBe("begun, ended");

  listener.renew(first);
  expect(await ask("/url", first)).toBe(`${listener.url}/url`);
});

test("a certificate that cannot be used changes nothing", async () => {
  expect(() => listener.renew({ ...second, key: first.key })).toThrow();
  expect(await ask("/url", first)).toBe(`${listener.url}/url`);
});

test("two servers never share a port by accident", () => {
  const address = { host: "127.0.0.1", port: listener.port };
  expect(() => listen(app, { ...address, certificate: second })).toThrow("in use");
  expect(() => listen(app, address)).toThrow("in use");
});
