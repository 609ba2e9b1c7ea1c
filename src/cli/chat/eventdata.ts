import { EventReader } from "../../wire/sse.ts";

/** The data of each server-sent event of a body; an event that the end cuts off is left out. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const reader = new EventReader();
  for await (const bytes of body) for (const { data } of reader.push(bytes)) yield data;
}
