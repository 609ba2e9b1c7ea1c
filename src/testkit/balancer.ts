import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Balancer, createBalancer } from "../balancer/balancer.ts";
import type { Settings } from "../config/settings.ts";
import type { EndpointSetting } from "../config/values/endpoint.ts";
import { openState } from "../db/database.ts";
import { type Listener, listen } from "../http/server/listen.ts";
import { LogBook } from "../lib/logbook.ts";
import type { EndpointKind } from "../wire/endpoint.ts";
import { asDefaults, TEST_SETTINGS } from "./settings.ts";

/** A running balancer whose endpoints have been checked once. */
export interface FakeBalancer extends AsyncDisposable {
  balancer: Balancer;
  url: string;
  listener: Listener;
  /** Posts a JSON body (or text as it is) to an inference route. */
  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Response>;
  /** Settles when `/ready` says so of the endpoint. */
  until(name: string, status: string): Promise<void>;
  /** Settles when the kinds of all endpoints have been found out, as one of these. */
  untilKnown(...kinds: EndpointKind[]): Promise<void>;
}

/**
 * Starts a balancer on a free port in front of `endpoints` (by name: URL or setting).
 * `localCredential` may do everything, where access control is on.
 */
export async function fakeBalancer(
  endpoints: Record<string, string | Omit<EndpointSetting, "name">>,
  more: Partial<Settings> = {},
  localCredential = "local_test",
): Promise<FakeBalancer> {
  const named = Object.entries(endpoints).map(([name, endpoint]) =>
    typeof endpoint === "string" ? { name, url: endpoint } : { name, ...endpoint },
  );
  const mode = "balancer" as const;
  const settings: Settings = { ...TEST_SETTINGS, mode, endpoints: named, ...more };
  const home = more.home ?? mkdtempSync(join(tmpdir(), "llmlb-balancer-"));
  const book = new LogBook({ level: "silent" });
  const { log } = book;
  const state = await openState({ home, log });
  const configuration = asDefaults(settings, home);
  const balancer = await createBalancer({ configuration, state, book, localCredential });
  const listener = listen(balancer.app, { host: "127.0.0.1", port: 0 });
  balancer.start();
  await balancer.ready();
  const { url } = listener;
  return {
    balancer,
    url,
    listener,
    post: (path, body, headers) =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async until(name, status) {
      for (;;) {
        const state = (await (await fetch(`${url}/ready`)).json()) as {
          endpoints: { name: string; status: string }[];
        };
        if (state.endpoints.some((one) => one.name === name && one.status === status)) return;
        await Bun.sleep(5);
      }
    },
    async untilKnown(...kinds) {
      const is = ({ kind }: { kind: EndpointKind | null }) => kind !== null && kinds.includes(kind);
      for (;;) {
        const { endpoints } = await (await fetch(`${url}/api/endpoints`)).json();
        if (endpoints.every(is)) return;
        await Bun.sleep(5);
      }
    },
    async [Symbol.asyncDispose]() {
      await balancer.close();
      await listener.stop(true);
      await state.close();
      if (more.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
