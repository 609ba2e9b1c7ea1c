import { z } from "zod";

/** The state of a pull, or of one of its files. */
export const PullState = z.enum([
  /** Another process fetches it, or other files come first. */
  "waiting",
  "downloading",
  /** All bytes are there; they are being compared with the manifest. */
  "verifying",
  "done",
  "failed",
]);
export type PullState = z.infer<typeof PullState>;

/** The progress of a pull, which is reported repeatedly; the last state is `done` or `failed`. */
export const PullProgress = z.object({
  model: z.string(),
  state: PullState,
  /** The file that is being fetched, or was fetched last. */
  file: z.string().nullable(),
  /** Bytes of all files, also of those that were there before. */
  bytes: z.number(),
  total_bytes: z.number(),
  /** Average of the last few seconds. */
  rate_bytes_per_s: z.number(),
  /** Null if unknown. */
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
