import type { Context } from "hono";

/** What can be asked of a request's connection. */
export type Connections = Pick<Bun.Server<undefined>, "requestIP" | "timeout">;

/** What every request handler finds in its context. */
export interface AppEnv {
  /** Absent when an app is called without a server, as tests do. */
  Bindings: { server?: Connections };
  Variables: {
    requestId: string;
    /** Settles when the response body has been sent; absent for bodies sent at once. */
    sent?: Promise<unknown>;
  };
}

export type AppContext = Context<AppEnv>;

type Variables = AppEnv["Variables"];

/** The part of a request's context that needs no router; every `AppContext` is one. */
export interface Scope {
  readonly env: AppEnv["Bindings"];
  readonly req: { readonly raw: Request; readonly path: string; readonly url: string };
  get<K extends keyof Variables>(key: K): Variables[K];
  set<K extends keyof Variables>(key: K, value: Variables[K]): void;
}
