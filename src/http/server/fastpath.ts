import { endOfTurn } from "../../lib/eventloop.ts";
import { tellRequestId } from "../proxy/headers.ts";
import type { App, AppEnv } from "./app.ts";
import type { Drain } from "./drain.ts";
import type { HostCheck } from "./host.ts";

type Variables = AppEnv["Variables"];

/** The part of a request's context that needs no router; every `AppContext` is one. */
export interface Scope {
  readonly env: AppEnv["Bindings"];
  readonly req: { readonly raw: Request; readonly path: string; readonly url: string };
  get<K extends keyof Variables>(key: K): Variables[K];
  set<K extends keyof Variables>(key: K, value: Variables[K]): void;
}

/** Answers a request; throws what the app turns into an error. */
export type FastHandler = (scope: Scope) => Promise<Response>;

export interface FastPathOptions {
  drain: Drain;
  hosts: HostCheck;
  requestIdOf(request: Request): string;
  /** The answer that tells of what was thrown. */
  failed(thrown: unknown, scope: Scope): Response;
}

/**
 * Answers `POST` on some paths without the router, which costs more there than anything else that
 * is ours. What the app does around each request is done here in the same way.
 */
export class FastPath {
  readonly #options: FastPathOptions;
  readonly #handlers = new Map<string, FastHandler>();

  constructor(options: FastPathOptions) {
    this.#options = options;
  }

  /** From now on these requests come here first. */
  add(path: string, handler: FastHandler): void {
    this.#handlers.set(path, handler);
  }

  /** Puts itself before the router. Paths with middleware of their own are left to that. */
  wrap(app: App): void {
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
  #open(app: App): Map<string, FastHandler> {
    const patterns = app.routes.filter(({ method }) => method === "ALL").map(({ path }) => path);
    const [, ...others] = patterns;
    const covers = (pattern: string, path: string) =>
      path.startsWith(pattern.split(/[*:]/)[0] ?? "");
    return new Map(
      [...this.#handlers].filter(([path]) => !others.some((pattern) => covers(pattern, path))),
    );
  }

  async #answer(scope: FastScope, handler: FastHandler): Promise<Response> {
    const { drain, hosts, requestIdOf, failed } = this.#options;
    const requestId = requestIdOf(scope.raw);
    scope.set("requestId", requestId);
    let leave: (() => void) | undefined;
    let response: Response;
    try {
      hosts.require(scope.raw);
      leave = drain.enter(scope.path);
      response = await handler(scope);
    } catch (thrown) {
      response = failed(thrown, scope);
    }
    const sent = scope.get("sent");
    if (sent !== undefined && leave !== undefined) sent.then(leave, leave);
    else {
      leave?.();
      tellRequestId(response.headers, requestId, scope.path);
    }
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
