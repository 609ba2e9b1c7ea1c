import type { Principal } from "../http/server/principal.ts";
import { fitsAny } from "./pattern.ts";

/** Whether a principal may use a model, by any of its names. Only keys are bound to models. */
export function mayUseModel({ key }: Pick<Principal, "key">, ...names: string[]): boolean {
  const models = key?.models ?? null;
  return models === null || names.some((name) => fitsAny(models, name));
}
