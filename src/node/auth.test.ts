import { expect, test } from "bun:test";
import { signTicket } from "../auth/ticket.ts";
import { createApp } from "../http/server/app.ts";
import { Drain } from "../http/server/drain.ts";
import { HostCheck } from "../http/server/host.ts";
import { createLogger } from "../lib/log.ts";
import { ANY_HOST, keyCheck } from "./auth.ts";

const KEY = "node-key";
const FILE = "/api/models/files/m/f.gguf";

function example() {
  const log = createLogger({ level: "silent" });
  const authorise = keyCheck(KEY, new HostCheck(["gpu.example"]));
  const app = createApp({ log, drain: new Drain(), hosts: ANY_HOST, authorise });
  for (const path of ["/health", "/v1/models", FILE]) app.get(path, (c) => c.text("in"));
  return async (path: string, host: string, key?: string) => {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await app.request(path, { headers: { host, ...authorization } });
    return response.status;
  };
}

test("with the key or a ticket a node may be called by any name, else by its own", async () => {
  const ask = example();
  const ticket = signTicket({ kind: "files", subject: "m", expiresAt: Date.now() + 60_000 }, KEY);
  for (const [name, others] of [
    ["gpu.example:32769", [200, 401]],
    ["evil.example", [403, 403]],
  ] as const) {
    expect(await ask("/v1/models", name, KEY)).toBe(200);
    expect(await ask(FILE, name, ticket)).toBe(200);
    for (const key of [undefined, "wrong"]) {
      expect([await ask("/health", name, key), await ask("/v1/models", name, key)]).toEqual([
        ...others,
      ]);
    }
  }
  expect(await ask("/v1/models", "no host", KEY)).toBe(400);
});
