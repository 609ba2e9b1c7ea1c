import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../../testkit/certificate.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { fakeProxy } from "../../testkit/servers/proxy.ts";
import { exchange } from "./exchange.ts";
import { get } from "./get.ts";
import { trustAuthorities } from "./trust.ts";

const authority = makeCertificate({ name: "authority", isAuthority: true, hosts: [] });
const own = makeCertificate({ name: "own" });
const signed = makeCertificate({ name: "signed", issuer: authority });
const elsewhere = makeCertificate({
  name: "elsewhere",
  issuer: authority,
  hosts: ["other.example"],
});
const past = new Date(Date.now() - 3_600_000);
const expired = makeCertificate({ name: "expired", issuer: authority, notAfter: past });

const folder = temporaryHome();
const caFile = join(folder.path, "ca.pem");
const servers: Bun.Server<undefined>[] = [];

beforeAll(() => writeFileSync(caFile, `# ours\n${authority.cert}`));
afterEach(() => trustAuthorities(null));
afterAll(() => {
  for (const server of servers) server.stop(true);
  folder[Symbol.dispose]();
});

function serve({ cert, key }: { cert: string; key: string }) {
  const fetch = () => new Response("here");
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls: { cert, key }, fetch });
  servers.push(server);
  return `https://127.0.0.1:${server.port}/`;
}

async function ask(url: string, more: object = {}): Promise<string> {
  const { signal } = new AbortController();
  const request = { url, headers: {}, timeoutMs: 5000, limitBytes: 1000, signal, ...more };
  const answer = await get(request).catch(String);
  return typeof answer === "string" ? answer : new TextDecoder().decode(answer.body);
}

test("a certificate that nobody known has signed is refused, with what it is", async () => {
  const said = await ask(serve(own));
  expect(said).toContain("the certificate is not valid (DEPTH_ZERO_SELF_SIGNED_CERT)");
  expect(said).toContain(own.fingerprint);
});

test("a pinned certificate is accepted, and no other, whatever an authority says", async () => {
  const [url, other] = [serve(own), serve(signed)];
  trustAuthorities(caFile);
  expect(await ask(url, { fingerprint: own.fingerprint })).toBe("here");
  const said = await ask(other, { fingerprint: own.fingerprint });
  expect(said).toContain("is not the pinned one");
  expect(said).toContain(signed.fingerprint);
  expect(await ask(other, { fingerprint: signed.fingerprint })).toBe("here");
});

test("authorities of a file are believed besides others, for their names and times", async () => {
  const url = serve(signed);
  expect(await ask(url)).toContain("is not valid");
  trustAuthorities(caFile);
  expect(await ask(url)).toBe("here");
  expect(await ask(serve(elsewhere))).toContain("not valid (ERR_TLS_CERT_ALTNAME_INVALID)");
  expect(await ask(serve(expired))).toContain("is not valid (CERT_HAS_EXPIRED)");
  expect(await ask(serve(own))).toContain("is not valid");
});

test("a connection that was not pinned is not used where one is", async () => {
  const url = serve(signed);
  trustAuthorities(caFile);
  const request = { url, method: "GET", headers: {}, body: null, keepAlive: true };
  const free = exchange(request);
  expect((await free.head).status).toBe(200);
  await free.bytes(100);
  const pinned = exchange({ ...request, fingerprint: own.fingerprint });
  expect(await pinned.head.catch(String)).toContain("is not the pinned one");
});

test("a certificate behind a proxy is judged alike", async () => {
  const url = serve(own);
  using fake = fakeProxy(Number(new URL(url).port));
  const { proxy } = fake;
  expect(await ask(url, { proxy })).toContain("is not valid");
  expect(await ask(url, { proxy, fingerprint: own.fingerprint })).toBe("here");
  expect(await ask(url, { proxy, fingerprint: signed.fingerprint })).toContain("not the pinned");
  expect(fake.asked).toHaveLength(3);
});

test("a file of authorities that is none is refused by name", () => {
  const none = join(folder.path, "none.pem");
  expect(() => trustAuthorities(none)).toThrow(`--tls-ca ${none}: cannot be read`);
  writeFileSync(none, "nothing");
  expect(() => trustAuthorities(none)).toThrow("holds no certificate in PEM");
  writeFileSync(none, authority.cert.replace(/\n.{20}/, "\n"));
  expect(() => trustAuthorities(none)).toThrow("is damaged");
});
