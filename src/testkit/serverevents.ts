import { EventReader, type ServerEvent } from "../wire/sse.ts";

/** Yields the events of a body as they come. */
export async function* readServerEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent> {
  const reader = new EventReader();
  for await (const piece of body) yield* reader.push(piece);
  yield* reader.end();
}
