import type { Hono } from "hono";
import { endOfTurn } from "../../lib/eventloop.ts";
import type { Door } from "./door.ts";
import type { AppEnv, Scope } from "./scope.ts";

type Variables = AppEnv["Variables"];

/** Answers a request; throws what the app turns into an error. */
export type FastHandler = (scope: Scope) => Promise<Response>;

/**
 * Answers `POST` on some paths without the router, which costs more there than anything else that
 * is ours. Each request passes the same door as through the router.
 */
export class FastPath {
  readonly #door: Door;
  readonly #failed: (thrown: unknown, scope: Scope) => Response;
  readonly #handlers = new Map<string, FastHandler>();

  /** `failed` makes the answer for what was thrown. */
  constructor(door: Door, failed: (thrown: unknown, scope: Scope) => Response) {
    this.#door = door;
    this.#failed = failed;
  }

  /** From now on these requests come here first. */
  add(path: string, handler: FastHandler): void {
    this.#handlers.set(path, handler);
  }

  /** Puts itself before the router. Paths with middleware of their own are left to that. */
  wrap(app: Hono<AppEnv>): void {
    const routed = app.fetch;
    let open: Map<string, FastHandler> | undefined;
    app.fetch = (request, env, context) => {
      if (request.method !== "POST") return routed(request, env, context);
      open ??= this.#open(app);
      const path = pathOf(request.url);
      const handler = open.get(path);
      if (handler === undefined) return routed(request, env, context);
      return this.#answer(new FastScope(request, env ?? {}, path), handler);
    };
  }

  /** Those of the paths before which nothing but the app's own middleware (`*`) comes. */
  #open(app: Hono<AppEnv>): Map<string, FastHandler> {
    const patterns = app.routes.filter(({ method }) => method === "ALL").map(({ path }) => path);
    const [, ...others] = patterns;
    const covers = (pattern: string, path: string) =>
      path.startsWith(pattern.split(/[*:]/)[0] ?? "");
    return new Map(
      [...this.#handlers].filter(([path]) => !others.some((pattern) => covers(pattern, path))),
    );
  }

  async #answer(scope: FastScope, handler: FastHandler): Promise<Response> {
    let end: (() => void) | undefined;
    let response: Response;
    try {
      end = this.#door.enter(scope);
      response = await handler(scope);
    } catch (thrown) {
      response = this.#failed(thrown, scope);
    }
    this.#door.leave(scope, response, end);
    await endOfTurn();
    return response;
  }
}

class FastScope implements Scope {
  readonly env: AppEnv["Bindings"];
  readonly raw: Request;
  readonly path: string;
  readonly #variables: Partial<Variables> = {};

  constructor(raw: Request, env: AppEnv["Bindings"], path: string) {
    this.raw = raw;
    this.env = env;
    this.path = path;
  }

  get req(): Scope["req"] {
    return this;
  }

  get url(): string {
    return this.raw.url;
  }

  get<K extends keyof Variables>(key: K): Variables[K] {
    return this.#variables[key] as Variables[K];
  }

  set<K extends keyof Variables>(key: K, value: Variables[K]): void {
    this.#variables[key] = value;
  }
}

/** Of an absolute URL, as it is written: what is escaped is left to the router. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}
