import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Balancer, createBalancer } from "../balancer/balancer.ts";
import type { Settings } from "../config/settings.ts";
import type { EndpointSetting } from "../config/values/endpoint.ts";
import { openState } from "../db/database.ts";
import { type Listener, listen } from "../http/server/listen.ts";
import { createLogger } from "../lib/log.ts";
import { ROUTE_LIST } from "../wire/route.ts";
import { TEST_SETTINGS } from "./settings.ts";

/** Stand-ins for tests: endpoints, and a balancer in front of them. */

export interface FakeEndpoint extends Disposable {
  url: string;
  /** What it lists; may be changed. */
  models: string[];
  /** Inference requests that it got. */
  requests: Request[];
  /** Inference requests that it is working on. */
  active: number;
  /** It answers no check any more. */
  down: boolean;
}

/** An endpoint on a free port that lists `models` and leaves all else to `answer`. */
export function fakeEndpoint(
  models: string[],
  answer: (request: Request) => Response | Promise<Response>,
): FakeEndpoint {
  const requests: Request[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (new URL(request.url).pathname === "/v1/models") {
        if (endpoint.down) return new Response("down", { status: 503 });
        return Response.json({ object: "list", data: endpoint.models.map((id) => ({ id })) });
      }
      // The questions that tell servers apart.
      const isEmpty = request.headers.get("content-length") === "2";
      const isUsual = ROUTE_LIST.some(
        ({ path, presence }) => presence === "usual" && request.url.endsWith(path),
      );
      const status = isEmpty && isUsual ? 400 : 404;
      if (request.method === "GET" || isEmpty) return new Response("not here", { status });
      requests.push(request);
      endpoint.active += 1;
      try {
        return await answer(request);
      } finally {
        endpoint.active -= 1;
      }
    },
  });
  const endpoint: FakeEndpoint = {
    url: `http://127.0.0.1:${server.port}`,
    models,
    requests,
    active: 0,
    down: false,
    [Symbol.dispose]: () => void server.stop(true),
  };
  return endpoint;
}

/** A running balancer whose endpoints have been checked once. */
export interface FakeBalancer extends AsyncDisposable {
  balancer: Balancer;
  url: string;
  listener: Listener;
  /** Posts a JSON body (or text as it is) to an inference route. */
  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Response>;
  /** Settles when `/ready` says so of the endpoint. */
  until(name: string, status: string): Promise<void>;
}

/** Starts a balancer on a free port in front of `endpoints` (by name: URL or setting). */
export async function fakeBalancer(
  endpoints: Record<string, string | Omit<EndpointSetting, "name">>,
  more: Partial<Settings> = {},
): Promise<FakeBalancer> {
  const named = Object.entries(endpoints).map(([name, endpoint]) =>
    typeof endpoint === "string" ? { name, url: endpoint } : { name, ...endpoint },
  );
  const mode = "balancer" as const;
  const settings: Settings = { ...TEST_SETTINGS, mode, endpoints: named, ...more };
  const home = more.home ?? mkdtempSync(join(tmpdir(), "llmlb-balancer-"));
  const log = createLogger({ level: "silent" });
  const state = await openState({ home, log });
  const balancer = await createBalancer({ settings, state, log });
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
    async [Symbol.asyncDispose]() {
      await balancer.close();
      await listener.stop(true);
      await state.close();
      if (more.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
