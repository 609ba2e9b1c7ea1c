import type { Engine } from "../../engine/engine.ts";
import type { EnginePrompts } from "../prompts/engineprompts.ts";

/** How long an engine may take to end. */
export interface EndLimits {
  /** To write its prompts before, in ms; 0: they are of no use. */
  keepMs: number;
  /** To end, before it is killed, in ms. */
  graceMs: number;
}

/** Of an engine that makes room, or that nobody uses. */
export const UNLOAD_LIMITS: EndLimits = { keepMs: 3000, graceMs: 10_000 };

/**
 * Keeps an engine's prompts and ends it. One that has not written them in time is killed: somebody
 * waits for its memory.
 */
export async function endEngine(
  engine: Engine,
  prompts: EnginePrompts | undefined,
  { keepMs, graceMs }: EndLimits,
): Promise<void> {
  let hasEnded = false;
  engine.exited.then(() => {
    hasEnded = true;
  });
  const outcome = keepMs === 0 ? "done" : await prompts?.save(engine, keepMs);
  if (!hasEnded) await engine.stop(outcome === "late" ? 0 : graceMs);
}
