import { z } from "zod";

const amount = () => z.number().min(0).max(1e9);

/** `PUT /api/prices/{model}`: what a million tokens cost, all prices in one currency. */
export const PriceBody = z.strictObject({
  input_per_million: amount(),
  output_per_million: amount(),
  /** Of input tokens that were in the cache. Default: as all input tokens. */
  cached_per_million: amount().nullish(),
});

export const PriceView = z.object({
  /** A model, or a pattern with `*`. */
  model: z.string(),
  input_per_million: z.number(),
  output_per_million: z.number(),
  cached_per_million: z.number().nullable(),
});
export type PriceView = z.infer<typeof PriceView>;

export const PriceListAnswer = z.object({ prices: z.array(PriceView) });
export type PriceListAnswer = z.infer<typeof PriceListAnswer>;
