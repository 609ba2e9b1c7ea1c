import { environment } from "./environment.ts";

/** The process whose place a new one takes, as it tells its number to the new one. */
export const SUCCEEDS = "LLMLB_SUCCEEDS";

let known: number | undefined;

/**
 * The process whose place this one is to take; undefined: none. The variable that tells it is taken
 * out of the environment, since it is not meant for children.
 */
export function predecessorPid(): number | undefined {
  const env = environment();
  const text = env[SUCCEEDS];
  if (text !== undefined) known = Number(text);
  delete env[SUCCEEDS];
  return known;
}
