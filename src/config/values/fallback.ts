import type { ZodType } from "zod";
import { BUILT_IN_PROVIDERS, type CustomProviderSetting, MISSPELT_ANTHROPIC } from "./provider.ts";
import { listOf, type Shape, TEXT_SHAPE } from "./schema.ts";

/** An operator's rule: requests for a model that no endpoint can take go to a provider. */
export interface FallbackSetting {
  /** As clients write it; `*` for every model without a rule of its own. */
  model: string;
  /** A provider's model with its prefix, e.g. `openai:gpt-4o`. */
  to: string;
}

const FALLBACK = /^(.+?)=([\w.-]+:.+)$/;
const PROVIDER_MODEL = /^([\w.-]+):(.+)$/;

const ITEM: Shape = {
  anyOf: [
    TEXT_SHAPE,
    {
      type: "object",
      properties: { model: TEXT_SHAPE, to: TEXT_SHAPE },
      required: ["model", "to"],
      additionalProperties: false,
    },
  ],
};

/** A list of rules: `model=provider:model` or `{model, to}` each. */
export function fallbackList(): ZodType<FallbackSetting[]> {
  return listOf(readFallback, fallbackConflict, ITEM);
}

/**
 * Reads `model=provider:model` (`*` for every model) or `{model, to}`. Returns a message instead if
 * it is wrong.
 */
function readFallback(value: unknown): FallbackSetting | string {
  const [, model, to] =
    typeof value === "string" ? (FALLBACK.exec(value) ?? []) : fromObject(value);
  if (model === undefined || to === undefined || !PROVIDER_MODEL.test(to)) {
    return "must be model=provider:model, such as *=openai:gpt-4o";
  }
  return { model, to };
}

function fromObject(value: unknown): (string | undefined)[] {
  if (typeof value !== "object" || value === null) return [];
  const { model, to, ...more } = value as Record<string, unknown>;
  if (typeof model !== "string" || model === "" || typeof to !== "string") return [];
  return Object.keys(more).length > 0 ? [] : [undefined, model, to];
}

/** A message if two rules are for the same model. */
function fallbackConflict(fallbacks: FallbackSetting[]): string | undefined {
  const models = fallbacks.map(({ model }) => model);
  const twice = models.find((model, at) => models.indexOf(model) !== at);
  return twice === undefined ? undefined : `there are two fallbacks for "${twice}": keep one`;
}

/** A message if a rule names a provider that does not exist. */
export function unknownProvider(
  fallbacks: readonly FallbackSetting[],
  providers: readonly CustomProviderSetting[],
): string | undefined {
  const known: string[] = [...BUILT_IN_PROVIDERS, ...providers.map(({ name }) => name)];
  for (const { model, to } of fallbacks) {
    const name = PROVIDER_MODEL.exec(to)?.[1] ?? "";
    if (known.includes(name) || name === MISSPELT_ANTHROPIC) continue;
    return `${model}=${to}: there is no provider "${name}": the providers are ${known.join(", ")}`;
  }
  return undefined;
}
