import { EventReader } from "../../wire/sse.ts";

/**
 * The data of each server-sent event of an answer, as it comes. `onBytes` is called for every piece
 * of it, comments included.
 */
export async function* eventsOf(
  response: Response,
  onBytes: () => void = () => undefined,
): AsyncGenerator<string> {
  const events = new EventReader();
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const part = await reader?.read();
      if (part?.value === undefined) break;
      onBytes();
      for (const { data } of events.push(part.value)) yield data;
    }
    for (const { data } of events.end()) yield data;
  } finally {
    await reader?.cancel();
  }
}
