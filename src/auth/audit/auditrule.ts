import { SAFE_METHODS } from "../../http/server/origin.ts";
import { ruleOf } from "../accesstable.ts";

/** What nodes tell and ask by themselves, several times a minute. */
const ROUTINE: ReadonlySet<string> = new Set([
  "POST /api/nodes/:id/announce",
  "POST /api/nodes/:id/models/turn",
  "POST /api/nodes/:id/models/report",
]);

/** Of `POST` routes that only read, and those of inference. */
const READING = /^openai\.|\.read$/;

const known = new Map<string, boolean>();

/**
 * Whether what a route does is recorded. It is decided by its method and its rule, so that a new
 * route is recorded unless it only reads or answers with a model.
 */
export function isAudited(route: string): boolean {
  const found = known.get(route);
  if (found !== undefined) return found;
  const decided = decide(route);
  known.set(route, decided);
  return decided;
}

function decide(route: string): boolean {
  const [method = ""] = route.split(" ");
  if (SAFE_METHODS.has(method) || ROUTINE.has(route)) return false;
  const rule = ruleOf(route);
  const permission = typeof rule === "object" ? rule.local : rule;
  return permission === undefined || !READING.test(permission);
}
