/** A prompt that an engine has computed. */
export interface ComputedPrompt {
  key: string;
  tokens: number;
  /** Its size in a file. */
  bytes: number;
}

/** How fast prompts are computed, and files written or read. */
export interface Speeds {
  /** Time that the engine takes to compute one token of a prompt, in microseconds. */
  usPerToken: number;
  /** Bytes that are written, or read, in a millisecond. */
  bytesPerMs: number;
}

/** Shorter prompts are computed at once. */
export const TOKENS_MIN = 128;
/** What reading costs besides the bytes: opening, checking, a place in the cache. */
const READ_MS = 5;
/** An engine answers nobody while it reads; it is ended as stuck if it answers nobody for 10 s. */
const READ_MS_MAX = 4000;

/**
 * How many tokens of a file a request must need, so that reading the file costs less than computing
 * them; undefined if it is never worth it.
 *
 * | condition                                         | answer                                  |
 * |---------------------------------------------------|-----------------------------------------|
 * | reading would take longer than 4 s                | never                                   |
 * | all its tokens are computed in less time          | never                                   |
 * | otherwise                                         | as many as are computed in that time    |
 *
 * Never less than `TOKENS_MIN`.
 */
export function tokensWorthReading(
  { tokens, bytes }: Pick<ComputedPrompt, "tokens" | "bytes">,
  { usPerToken, bytesPerMs }: Speeds,
): number | undefined {
  const readMs = READ_MS + bytes / bytesPerMs;
  if (readMs > READ_MS_MAX || usPerToken <= 0) return undefined;
  const least = Math.max(TOKENS_MIN, Math.ceil((readMs * 1000) / usPerToken));
  return least > tokens ? undefined : least;
}

export interface SaveQuestion {
  /** Those that are likeliest to be wanted again come first. */
  prompts: readonly ComputedPrompt[];
  /** For writing. */
  write: Pick<Speeds, "bytesPerMs">;
  /** For reading them later. */
  read: Speeds;
  /** Time to write all of them, in ms. */
  withinMs: number;
  /** Room for all of them, once everything older is gone, in bytes. */
  roomBytes: number;
}

/**
 * Which prompts are written when an engine ends, in this order.
 *
 * | a prompt                                                     | is      |
 * |--------------------------------------------------------------|---------|
 * | that will not be worth reading (`tokensWorthReading`)        | left    |
 * | that takes longer to write than is left of the time          | left    |
 * | that is larger than what is left of the room                 | left    |
 * | any other                                                    | written |
 */
export function decideSaves(asked: SaveQuestion): ComputedPrompt[] {
  const { prompts, write, read, withinMs, roomBytes } = asked;
  const chosen: ComputedPrompt[] = [];
  let bytes = 0;
  for (const prompt of prompts) {
    const sum = bytes + prompt.bytes;
    if (tokensWorthReading(prompt, read) === undefined) continue;
    if (sum > withinMs * write.bytesPerMs || sum > roomBytes) continue;
    bytes = sum;
    chosen.push(prompt);
  }
  return chosen;
}

/** A file as far as it may have to go. */
export interface KeptFile {
  bytes: number;
  /** When it was written or read last, Unix ms. */
  usedMs: number;
}

/** The files that go, so that `wantedBytes` more fit into the budget: those unused for longest. */
export function decideRemovals<File extends KeptFile>(
  files: readonly File[],
  { wantedBytes, budgetBytes }: { wantedBytes: number; budgetBytes: number },
): File[] {
  let over = wantedBytes - budgetBytes + files.reduce((sum, { bytes }) => sum + bytes, 0);
  const gone: File[] = [];
  for (const file of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (over <= 0) break;
    over -= file.bytes;
    gone.push(file);
  }
  return gone;
}
