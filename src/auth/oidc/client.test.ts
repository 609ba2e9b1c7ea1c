import { afterAll, afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { trustAuthorities } from "../../http/client/trust.ts";
import { makeCertificate } from "../../testkit/certificate.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { TEST_SETTINGS } from "../../testkit/settings.ts";
import { OidcClient } from "./client.ts";

const authority = makeCertificate({ name: "company", isAuthority: true, hosts: [] });
const { cert, key } = makeCertificate({ name: "provider", issuer: authority });
const folder = temporaryHome();
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  tls: { cert, key },
  fetch: ({ url }) => {
    const issuer = new URL(url).origin;
    return Response.json({ issuer, authorization_endpoint: `${issuer}/authorize` });
  },
});
afterEach(() => trustAuthorities(null));
afterAll(() => {
  server.stop(true);
  folder[Symbol.dispose]();
});

test("a provider is believed by the authorities of --tls-ca", async () => {
  const oidcIssuer = `https://127.0.0.1:${server.port}`;
  const client = new OidcClient({ ...TEST_SETTINGS, oidcIssuer, oidcClientId: "llmlb" });
  const flow = { cookie: "c", codeVerifier: "v".repeat(43), state: "s", nonce: "n" };
  const url = () => client.authorizationUrl(flow, "https://llm.lan/callback");
  await expect(url()).rejects.toMatchObject({ status: 502, code: "oidc_unreachable" });
  const file = join(folder.path, "ca.pem");
  writeFileSync(file, authority.cert);
  trustAuthorities(file);
  expect(await url()).toStartWith(`${oidcIssuer}/authorize?`);
});
