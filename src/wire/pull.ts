import { z } from "zod";

/** How far a pull, or one file of it, is. */
export const PullState = z.enum([
  /** Another process fetches it, or it is not its turn. */
  "waiting",
  "downloading",
  /** All bytes are there and are being compared with the manifest. */
  "verifying",
  "done",
  "failed",
]);
export type PullState = z.infer<typeof PullState>;

/** What a pull tells of itself, again and again; the last one is `done` or `failed`. */
export const PullProgress = z.object({
  model: z.string(),
  state: PullState,
  /** The file that is fetched now, or was last. */
  file: z.string().nullable(),
  /** Of all files, those that were there before included. */
  bytes: z.number(),
  total_bytes: z.number(),
  /** Of the last few seconds. */
  rate_bytes_per_s: z.number(),
  /** Null where it cannot be told. */
  eta_s: z.number().nullable(),
  files: z.array(
    z.object({
      name: z.string(),
      state: PullState,
      bytes: z.number(),
      total_bytes: z.number().nullable(),
    }),
  ),
  /** Why it failed. */
  error: z.string().nullable(),
});
export type PullProgress = z.infer<typeof PullProgress>;
