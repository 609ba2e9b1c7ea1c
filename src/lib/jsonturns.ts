import { stepInTurns } from "./eventloop.ts";
import { withoutByteMark } from "./json.ts";
import { JsonFault } from "./jsonfault.ts";
import { JsonReader } from "./jsonreader.ts";

/** What is not longer is read at once, in some milliseconds at worst. */
export const AT_ONCE_BYTES_MAX = 256 * 1024;

/** Its bytes bound what else is in it. */
const LIMITS = {
  ...{ depthMax: 1000, exactMax: 200_000, tokenBytesMax: 1024 * 1024, mayBeList: true },
  ...{ itemsMax: Number.POSITIVE_INFINITY, valuesMax: Number.POSITIVE_INFINITY },
};

/**
 * Reads a JSON object or list of a server that may be long, with exact digits: others have their
 * turns meanwhile. Of lists only the first `listMax` items are kept. Undefined for anything else,
 * and for more integers beyond 2^53 than anybody has a use for.
 */
export async function readInTurns(
  bytes: Uint8Array,
  listMax = Number.POSITIVE_INFINITY,
): Promise<Pick<JsonReader, "value" | "longestList"> | undefined> {
  const reader = new JsonReader(withoutByteMark(bytes), { ...LIMITS, listMax });
  try {
    await stepInTurns(() => reader.step());
    return reader;
  } catch (error) {
    if (error instanceof JsonFault) return undefined;
    throw error;
  }
}
