import { z } from "zod";
import { numberOf } from "../lib/json.ts";

/**
 * A seed, which may have 64 bits. Nobody reckons with it, so beyond 2^53 it may be what only
 * `JSON.stringify` reads, with all its digits (`lib/json.ts`).
 */
export const Seed = z.custom<number>((value) => typeof numberOf(value) === "number").nullish();
