import { decodedName } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";

/**
 * The model in a path `<base>/<model><ending>`, decoded; undefined for any other path. A route of
 * the router cannot say this, because models' names have slashes.
 */
export function modelInPath(c: AppContext, base: string, ending: string): string | undefined {
  const path = c.req.path.slice(base.length + 1);
  if (!path.endsWith(ending)) return undefined;
  return decodedName(path.slice(0, -ending.length));
}
