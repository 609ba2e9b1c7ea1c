import type { ChatRequest } from "../../../wire/chat.ts";
import { anthropicVersion } from "./modelversion.ts";

/** The last version whose models take `temperature` beside `top_p`: Claude 4.0. */
const BOTH_MAX = 4;
/** The first version whose models take no sampling parameters at all: Claude 4.7. */
const NONE_MIN = 4.07;

/**
 * What a chat says of sampling, as far as Anthropic takes it: nothing from Claude 4.7 on or beside
 * thinking, and from Claude 4.1 on no `top_p` beside a temperature. The rest is left out, since the
 * request would be refused. Temperatures end at 1.
 * Source: https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
export function anthropicSampling(
  { model, temperature, top_p, top_k }: ChatRequest,
  thinks: boolean,
): Record<string, unknown> {
  const version = anthropicVersion(model);
  if (thinks || (version !== undefined && version >= NONE_MIN)) return {};
  if (temperature == null) return { top_p, top_k };
  const capped = Math.min(temperature, 1);
  const takesBoth = version !== undefined && version <= BOTH_MAX;
  return { temperature: capped, top_p: takesBoth ? top_p : undefined, top_k };
}
