import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { type Listener, listen } from "../http/server/listen.ts";
import { LogBook } from "../lib/logbook.ts";
import { createNode, type LlmlbNode } from "../node/node.ts";
import type { BalancerClientOptions } from "../node/sync/balancerclient.ts";
import { type Device, NodeSystem } from "../wire/system.ts";
import { FakeEngines } from "./servers/engine.ts";
import { TEST_SETTINGS } from "./settings.ts";

const GPU: Device = {
  name: "CUDA0",
  description: "A GPU",
  type: "gpu",
  total_memory_bytes: 1000,
  free_memory_bytes: 400,
};

/** A node on a real socket whose engines are fake, for tests. It has one GPU. */
export class TestNode {
  readonly engines = new FakeEngines();
  readonly node: LlmlbNode;
  readonly url: string;
  readonly #listener: Listener;

  /**
   * Serves models with these ids; their files are `0.gguf`, `1.gguf`… in the engines' folder, which
   * is the data folder, too.
   */
  constructor(ids: string[], more: Partial<Settings> = {}, balancer?: BalancerClientOptions) {
    const { folder, launch } = this.engines;
    const settings: Settings = {
      ...TEST_SETTINGS,
      mode: "node",
      home: folder,
      models: ids.map((id, i) => ({ id, path: join(folder, `${i}.gguf`) })),
      bodyLimitBytes: 10_000,
      loadTimeoutMs: 5000,
      ...more,
    };
    const book = new LogBook({ level: "silent" });
    const probe = async () => [GPU];
    const linked = balancer === undefined ? {} : { balancer };
    const argumentFault = async (args: string[]) => {
      return args.includes("--no-such-thing") ? "invalid argument: --no-such-thing" : undefined;
    };
    this.node = createNode({ settings, book, launch, probe, argumentFault, ...linked });
    this.#listener = listen(this.node.app, { host: "127.0.0.1", port: 0 });
    this.url = this.#listener.url;
  }

  get(path: string): Promise<Response> {
    return fetch(this.url + path);
  }

  post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
      ...(signal ? { signal } : {}),
    });
  }

  /** A chat request to the model `chat`. */
  chat(more: object = {}, signal?: AbortSignal): Promise<Response> {
    return this.post(
      "/v1/chat/completions",
      { model: "chat", messages: [{ role: "user", content: "Hello" }], ...more },
      signal,
    );
  }

  async system(): Promise<NodeSystem> {
    return NodeSystem.parse(await (await this.get("/api/system")).json());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.close();
    await this.#listener.stop(true);
    this.engines.close();
  }
}

/** Status and error of a refusal, in one object. */
export async function refusalOf(response: Response) {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, ...error };
}
