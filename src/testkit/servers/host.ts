const GB = 1e9;

export interface FakeHostOptions {
  /** Its devices; sizes in GB. */
  devices: { name: string; total: number; other: number }[];
  /** Its models by their ids; `bytes` in GB, by device or `host`. */
  models: Record<string, { state: string; bytes?: Record<string, number> }>;
}

/** A stand-in for a node that tells of devices that nobody has at hand. It answers no request. */
export class FakeHost implements Disposable {
  readonly #options: FakeHostOptions;
  readonly #server = Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: ({ url }) => this.#answer(new URL(url).pathname),
  });

  constructor(options: FakeHostOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#server.url.origin;
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }

  #answer(path: string): Response {
    if (path === "/api/system") return Response.json(this.#system());
    if (path !== "/v1/models") return new Response("not here", { status: 404 });
    const data = Object.keys(this.#options.models).map((id) => ({ id }));
    return Response.json({ object: "list", data });
  }

  #system() {
    const { devices, models } = this.#options;
    const memories = [...devices, { name: "host", total: 256, other: 20 }];
    return {
      llmlb_version: "0.1.0",
      models: Object.entries(models).map(([id, { state, bytes = {} }]) => ({
        ...{ id, state, slots: 4 },
        reserved: Object.fromEntries(Object.entries(bytes).map(([at, gb]) => [at, gb * GB])),
        reserved_bytes: GB * Object.values(bytes).reduce((sum, gb) => sum + gb, 0),
      })),
      memory: {
        ...{ budget_bytes: 400 * GB, reserved_bytes: 0 },
        memories: memories.map(({ name, total, other }) => ({
          ...{ name, description: `A ${name}`, total_bytes: total * GB },
          other_bytes: other * GB,
        })),
      },
    };
  }
}
