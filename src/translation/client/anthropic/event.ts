import { eventFrame } from "../../../wire/sse.ts";

/** An event of a streamed message of Anthropic's: its type is also the event's name. */
export function anthropicEvent(type: string, fields: object): string {
  return eventFrame({ type, ...fields }, type);
}
