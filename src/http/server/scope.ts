import type { Context } from "hono";
import type { ApiError } from "../../wire/error.ts";
import type { MessageSink } from "../messagesocket.ts";
import type { Caller } from "../proxy/deadlines.ts";
import type { BodyMemory, BodyShare } from "./bodymemory.ts";
import type { Drain } from "./drain.ts";
import type { Principal } from "./principal.ts";
import type { TrustedProxies } from "./trustedproxies.ts";

/** What a handler may ask of the connection that a request came on. */
export interface Connections extends Pick<Bun.Server<MessageSink>, "requestIP" | "timeout"> {
  /** Makes a WebSocket of it; false: the request asks for none. */
  upgrade(request: Request, options: { data: MessageSink }): boolean;
}

/** What the app keeps about each request; it is the environment of the router, too. */
export interface AppEnv {
  /** Absent when an app is called without a server, as tests do. */
  Bindings: { server?: Connections };
  Variables: {
    requestId: string;
    /** The model that the request is for, once it is known. */
    model?: string;
    /** Settles when the response body has been sent; absent for bodies sent at once. */
    sent?: Promise<unknown>;
    /** Bounds the memory of all bodies; absent where an app has no bound. */
    bodies?: BodyMemory | undefined;
    /** The request's own share of it, which the door gives back at its end. */
    bodyShare?: BodyShare;
    /** The door has let it go: nothing is to be taken for it any more. */
    isOver?: boolean;
    /** Says whether requests that run must end. */
    drain?: Pick<Drain, "reason">;
    /** Whose word on their clients counts; absent: nobody's. */
    proxies?: TrustedProxies;
    /** Why it was refused or failed, once it was. */
    failure?: ApiError;
    /** What is to be recorded of the change that it makes; absent where nothing is. */
    change?: ChangeNote;
    /** Who sent it, once that is known; absent where an app does not ask. */
    principal?: Principal;
    /** The client's IP address, once it was asked for. */
    peer?: string;
  };
}

type Variables = AppEnv["Variables"];

/** The part of a request's context that needs no router; every `AppContext` is one. */
export interface Scope {
  readonly env: AppEnv["Bindings"];
  readonly req: { readonly raw: Request; readonly path: string; readonly url: string };
  get<K extends keyof Variables>(key: K): Variables[K];
  set<K extends keyof Variables>(key: K, value: Variables[K]): void;
}

/** Who sent a request that passed the door of an app with access control. */
export function principalOf(scope: Scope): Principal {
  const principal = scope.get("principal");
  if (principal === undefined) throw new Error("The request has no principal.");
  return principal;
}

/** Keeps what the thing that a request changes is called, for the record of it. */
export function noteSubject(scope: Scope, subject: string): void {
  const change = scope.get("change");
  if (change !== undefined) change.subject = subject;
}

/** Who waits for the answer to a request: it ends when the client leaves or draining is over. */
export function callerOf(scope: Scope): Caller {
  return new ScopeCaller(scope);
}

class ScopeCaller implements Caller {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Bun makes it when it is first read. */
  get signal(): AbortSignal {
    return this.#scope.req.raw.signal;
  }

  get end(): ApiError | undefined {
    return this.#scope.get("drain")?.reason;
  }
}

/**
 * The routes that a request matches, each as its method and its path as it was registered, e.g.
 * `GET /api/endpoints/:id`. None: there is no such path, or not with this method.
 */
export type MatchedRoutes = () => readonly string[];

/** Decides whether a request may go on; throws `ApiError` if not. Undefined: it may, at once. */
export type Authorise = (scope: Scope, routes: MatchedRoutes) => Promise<void> | undefined;

/** What a request's handler tells of the change that it makes. */
export interface ChangeNote {
  /** The JSON body, as it was read. */
  body?: unknown;
  /** What the thing that is changed is called. */
  subject?: string;
  /** Whose account it is about, where the principal does not tell: who logs in. */
  user?: { id: string; name: string };
  /** A session began. */
  isLogin?: boolean;
}

/** Keeps book of what requests change, and of those that are refused. Never rejects. */
export interface Auditor {
  /** Before the handler runs. Undefined: nothing is to be waited for. */
  begin(scope: Scope, routes: MatchedRoutes): Promise<void> | undefined;
  /** Before the answer is sent. */
  end(scope: Scope, routes: MatchedRoutes, status: number): Promise<void> | undefined;
}

/** Answers a request; throws what the app turns into an error. */
export type RequestHandler = (scope: Scope) => Promise<Response>;

/** A request as routed handlers see it. */
export type AppContext = Context<AppEnv>;
