import { mayUseModel } from "../../../auth/modelaccess.ts";
import { type AppContext, principalOf } from "../../../http/server/scope.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** Whether the caller may see a model: a key that is bound to models sees no others. */
export function isVisibleTo(c: AppContext, pool: UpstreamPool, id: string): boolean {
  const principal = principalOf(c);
  return mayUseModel(principal, id) || mayUseModel(principal, ...pool.aliasesOf(id));
}

/** Of models those that the caller may see. */
export function visibleTo<M extends { id: string }>(
  c: AppContext,
  pool: UpstreamPool,
  models: M[],
): M[] {
  const { key } = principalOf(c);
  if (key === undefined || key.models === null) return models;
  return models.filter(({ id }) => isVisibleTo(c, pool, id));
}
