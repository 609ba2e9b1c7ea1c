import { Hono } from "hono";
import { matchedRoutes } from "hono/route";
import type { Logger } from "../../lib/log.ts";
import type { Hops } from "../proxy/hops.ts";
import { AccessLog } from "./accesslog.ts";
import type { BodyMemory } from "./bodymemory.ts";
import { Door } from "./door.ts";
import type { Drain } from "./drain.ts";
import { failureResponse } from "./errorresponse.ts";
import { FastPath } from "./fastpath.ts";
import { HostCheck } from "./host.ts";
import type { Origins } from "./origin.ts";
import type { AppContext, AppEnv, Auditor, Authorise, RequestHandler, Scope } from "./scope.ts";
import type { TrustedProxies } from "./trustedproxies.ts";
import { answerUnrouted } from "./unrouted.ts";

export interface App extends Hono<AppEnv> {
  /** Answers `POST` on this literal path, past the router where no middleware covers the path. */
  fast(path: string, handler: RequestHandler): void;
}

export interface AppOptions {
  log: Logger;
  drain: Drain;
  /** The host names that requests may use. Default: those that every server has. */
  hosts?: HostCheck;
  /** The origins of web pages that may use the server. Default: none. */
  origins?: Origins | undefined;
  /** The reverse proxies whose word on their clients counts. Default: none. */
  proxies?: TrustedProxies | undefined;
  /** Keeps requests from going round. Default: they may. */
  hops?: Hops | undefined;
  /** Bounds the memory of all requests' bodies. Default: nothing does. */
  bodies?: BodyMemory;
  /** Whether a request is a line in the log, asked for each. Default: none is. */
  accessLog?: () => boolean;
  /** Keeps book of changes and refusals. Default: nobody does. */
  auditor?: Auditor;
  /** Decides about the access of each request, on every path. Default: all may go on. */
  authorise?: Authorise;
}

/**
 * An app with what all routes share: the door that each request passes (`Door`), errors in the
 * client's API for whatever is thrown, and answers for unknown paths (404) and methods (405).
 */
export function createApp({ log, drain, hosts = new HostCheck(), ...options }: AppOptions): App {
  const { accessLog } = options;
  const failed = (thrown: unknown, scope: Scope) => failureResponse(thrown, scope, log);
  const door = new Door({
    ...{ drain, hosts, failed, ...options },
    access: accessLog && new AccessLog(log, accessLog),
  });
  const fastPath = new FastPath(door);
  const app: App = Object.assign(new Hono<AppEnv>(), {
    fast(path: string, handler: RequestHandler) {
      app.post(path, handler);
      fastPath.add(path, handler);
    },
  });

  app.use(function passDoor(c, next) {
    const answer = async () => {
      await next();
      return c.res;
    };
    let routes: string[] | undefined;
    return door.pass(c, answer, () => {
      routes ??= routesOf(c);
      return routes;
    });
  });
  app.onError(failed);
  app.notFound((c) => answerUnrouted(app, c));
  fastPath.wrap(app);
  return app;
}

/** Without those for all methods, which are middleware. */
function routesOf(c: AppContext): string[] {
  const routes = matchedRoutes(c).filter(({ method }) => method !== "ALL");
  return routes.map(({ method, path }) => `${method} ${path}`);
}
