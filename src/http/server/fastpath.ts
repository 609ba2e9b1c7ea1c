import type { Hono } from "hono";
import type { Door } from "./door.ts";
import type { AppEnv, MatchedRoutes, RequestHandler, Scope } from "./scope.ts";

type Variables = AppEnv["Variables"];

/**
 * Answers `POST` on some paths without the router, which costs more there than anything else of
 * ours. The door is the same.
 */
export class FastPath {
  readonly #door: Door;
  readonly #handlers = new Map<string, FastRoute>();

  constructor(door: Door) {
    this.#door = door;
  }

  /** From now on this handler answers `POST` on `path`. */
  add(path: string, handler: RequestHandler): void {
    const routes = [`POST ${path}`];
    this.#handlers.set(path, { handler, routes: () => routes });
  }

  /** Puts itself before the router. Paths with middleware of their own are left to the router. */
  wrap(app: Hono<AppEnv>): void {
    const routed = app.fetch;
    let open: Map<string, FastRoute> | undefined;
    app.fetch = (request, env, context) => {
      if (request.method !== "POST") return routed(request, env, context);
      open ??= this.#open(app);
      const path = pathOf(request.url);
      const route = open.get(path);
      if (route === undefined) return routed(request, env, context);
      return this.#door.pass(new FastScope(request, env ?? {}, path), route.handler, route.routes);
    };
  }

  /** The paths that no middleware covers but the app's own (`*`), which is the door. */
  #open(app: Hono<AppEnv>): Map<string, FastRoute> {
    const patterns = app.routes.filter(({ method }) => method === "ALL").map(({ path }) => path);
    const [, ...others] = patterns;
    const covers = (pattern: string, path: string) =>
      path.startsWith(pattern.split(/[*:]/)[0] ?? "");
    return new Map(
      [...this.#handlers].filter(([path]) => !others.some((pattern) => covers(pattern, path))),
    );
  }
}

/** A handler, and the route that it is found by. */
interface FastRoute {
  handler: RequestHandler;
  routes: MatchedRoutes;
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

/** The path of an absolute URL, as it is written: escapes are left to the router. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}
