import { EnrolmentAnswer, EnrolmentTokenAnswer } from "../../wire/enrolment.ts";
import type { NodeModelReport } from "../../wire/sync.ts";
import type { FakeBalancer } from "../balancer.ts";

/** A stand-in for a node that has joined a balancer. */
export class FakeNode implements AsyncDisposable {
  /** What it lists. */
  serves: string[] = [];
  /** What it says of itself. */
  system: object = {};
  /** How many notifications it refuses before it accepts one. */
  refusals = 0;
  /** Notifications that came. */
  told = 0;
  readonly key = `sk_node_${crypto.randomUUID()}`;
  readonly #id = crypto.randomUUID();
  readonly #front: FakeBalancer;
  #credential = "";
  readonly #server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: (request) => this.#answer(request),
  });

  private constructor(front: FakeBalancer) {
    this.#front = front;
  }

  /** Lets a node join, which is online then. */
  static async join(front: FakeBalancer, name: string, system: object = {}): Promise<FakeNode> {
    const node = new FakeNode(front);
    node.system = system;
    const made = await front.post("/api/enrolment-tokens", {});
    const { token } = EnrolmentTokenAnswer.parse(await made.json());
    const self = { name, version: "1", api_key: node.key, models: [], slots: 1 };
    const place = { node_id: node.#id, url: node.url, port: 1 };
    const answer = await front.post("/api/nodes", { token, ...self, ...place });
    node.#credential = EnrolmentAnswer.parse(await answer.json()).credential;
    return node;
  }

  get url(): string {
    return this.#server.url.origin;
  }

  /** Asks what only nodes may. */
  ask(path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    const method = body === undefined ? "GET" : "POST";
    const authorization = `Bearer ${this.#credential}`;
    return fetch(`${this.#front.url}/api/nodes/${this.#id}/models${path}`, {
      method,
      headers: { authorization, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Tells what it has of one model. */
  async report(
    model: Pick<NodeModelReport, "id" | "state"> & Partial<NodeModelReport>,
  ): Promise<void> {
    const rest = { revision: null, files: [], progress: null, error: null };
    await this.ask("/report", { models: [{ ...rest, ...model }], serves: this.serves });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (request.headers.get("authorization") !== `Bearer ${this.key}`) {
      return new Response(null, { status: 401 });
    }
    if (pathname === "/v1/models") {
      return Response.json({ object: "list", data: this.serves.map((id) => ({ id })) });
    }
    if (pathname === "/api/system") return Response.json(this.system);
    if (pathname !== "/api/models/pull") return new Response(null, { status: 404 });
    this.told += 1;
    if (this.told <= this.refusals) return new Response(null, { status: 500 });
    return Response.json({ status: "syncing" }, { status: 202 });
  }
}
