import type { DeviceInfo } from "../db/state/endpoint.ts";
import { createApp } from "../http/server/app.ts";
import { Drain } from "../http/server/drain.ts";
import { HubClient, type HubOptions } from "../registry/hubclient.ts";
import type { PreviewNode } from "../registry/preview.ts";
import { Registry } from "../registry/registry.ts";
import { routeRegistry } from "../registry/routes.ts";
import { type Hub, startHub } from "./servers/hub/hub.ts";
import { makeStateHome, type StateHome, silent } from "./state.ts";

/** An answer of the routes of the registry, its body parsed. */
export interface RegistryAnswer {
  status: number;
  headers: Headers;
  body: ReturnType<typeof JSON.parse>;
}

/** A registry with a hub and a data folder of its own. */
export interface TestRegistry extends AsyncDisposable {
  hub: Hub;
  home: StateHome;
  registry: Registry;
  devices: DeviceInfo[];
  nodes: PreviewNode[];
  /** Names that count as served. */
  served: Set<string>;
  /** Sends a request to the routes. */
  call(method: string, path: string, body?: object): Promise<RegistryAnswer>;
  /** The same as after a restart of the balancer. */
  restarted(options?: Partial<HubOptions>): Promise<TestRegistry>;
}

/** Starts a registry whose hub is empty; `options` are the hub client's. */
export async function testRegistry(options: Partial<HubOptions> = {}): Promise<TestRegistry> {
  return await over(await startHub(), makeStateHome(), options);
}

async function over(
  hub: Hub,
  home: StateHome,
  options: Partial<HubOptions>,
): Promise<TestRegistry> {
  const state = await home.open();
  const devices: DeviceInfo[] = [];
  const nodes: PreviewNode[] = [];
  const served = new Set<string>();
  const client = new HubClient({
    ...{
      hubUrl: hub.url,
      token: null,
      allowlist: [],
      cache: state.hubCache,
      log: silent,
      ttlMs: 0,
    },
    ...{ tryMs: 2000, allMs: 3000 },
    ...options,
  });
  const registry = new Registry({
    ...{ state, hub: client, allowlist: ["huggingface.co/*"], log: silent },
    devices: () => devices,
    nodes: () => nodes,
    isReady: (names) => names.some((name) => served.has(name)),
  });
  await registry.load();
  const app = createApp({ log: silent, drain: new Drain() });
  routeRegistry(app, { registry, nodes: () => ["n1", "n2", "n3"] });
  return {
    ...{ hub, home, registry, devices, nodes, served },
    async call(method, path, body) {
      const headers = { "content-type": "application/json" };
      const init = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const response = await app.request(path, { method, ...init });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === "" ? {} : JSON.parse(text),
      };
    },
    async restarted(more = {}) {
      registry.close();
      await state.close();
      return await over(hub, home, { ...options, ...more });
    },
    async [Symbol.asyncDispose]() {
      registry.close();
      await home.remove();
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** Asks to register a model. */
export function register(at: TestRegistry, body: object): Promise<RegistryAnswer> {
  return at.call("POST", "/api/models/register", body);
}

/** A pattern for `toMatchObject`: an answer with this error. */
export function errorAnswer(code: string, status: number): object {
  return { status, body: { error: { code } } };
}
