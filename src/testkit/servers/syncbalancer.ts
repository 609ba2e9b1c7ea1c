import type { Manifest } from "../../wire/manifest.ts";
import {
  type AssignedModelList,
  type DownloadLeaseAnswer,
  type DownloadLeaseBody,
  ModelReportBody,
} from "../../wire/sync.ts";

/** A stand-in for the part of a balancer that nodes sync with. */
export class FakeSyncBalancer implements AsyncDisposable {
  /** What is listed; undefined: it answers 500. */
  list: AssignedModelList | undefined = { models: [], complete: true };
  /** Answers to questions for the list wait for this. */
  gate: Promise<unknown> = Promise.resolve();
  readonly manifests = new Map<string, Manifest>();
  /** Where files are to be fetched from. */
  turn: (body: DownloadLeaseBody) => DownloadLeaseAnswer = () => ({ go: "hub", renew_ms: 5000 });
  /** The last that was told. */
  report: ModelReportBody | undefined;
  /** Questions for the list. */
  asked = 0;
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => this.#answer(request),
  });

  /** How a node asks it. */
  get link() {
    const url = `http://127.0.0.1:${this.#server.port}`;
    return { url, credentials: () => ({ nodeId: "n", credential: "secret" }) };
  }

  /** Lists models by their ids, in this revision. */
  want(ids: string[], { complete = true, revision = "main" } = {}): void {
    const models = ids.map((id) => ({
      id,
      revision,
      template: null,
      names: [],
      settings: null,
      quantizations: [],
    }));
    this.list = { models, complete };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    if (request.headers.get("authorization") !== "Bearer secret") {
      return new Response(null, { status: 401 });
    }
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/api/nodes/n/models":
        this.asked += 1;
        await this.gate;
        if (this.list === undefined) return new Response("broken", { status: 500 });
        return Response.json(this.list);
      case "/api/nodes/n/models/manifest": {
        const manifest = this.manifests.get(searchParams.get("model") ?? "");
        if (manifest !== undefined) return Response.json(manifest);
        const error = { code: "model_not_found", message: "no such model" };
        return Response.json({ error }, { status: 404 });
      }
      case "/api/nodes/n/models/turn":
        return Response.json(this.turn((await request.json()) as DownloadLeaseBody));
      case "/api/nodes/n/models/report":
        this.report = ModelReportBody.parse(await request.json());
        return new Response(null, { status: 204 });
      default:
        return new Response(null, { status: 404 });
    }
  }
}
