import { z } from "zod";
import { Conversation } from "./conversation.ts";

const FORMAT = "llmlb-conversations";

const File = z.object({
  format: z.literal(FORMAT, "it is no export of conversations"),
  version: z.literal(1, "it is of a newer llmlb"),
  conversations: z.array(Conversation),
});

/** Conversations as a file that can be imported again. */
export function exported(conversations: readonly Conversation[]): string {
  return JSON.stringify({ format: FORMAT, version: 1, conversations }, undefined, 1);
}

/**
 * The conversations of such a file, as new ones: what is there already stays as it is. Throws what
 * is wrong with the file.
 */
export function imported(text: string): Conversation[] {
  const { data, error } = File.safeParse(JSON.parse(text));
  const [issue] = error?.issues ?? [];
  if (data === undefined) throw new Error(`${issue?.path.join(".")}: ${issue?.message}`);
  return data.conversations.map((one) => ({ ...one, id: crypto.randomUUID() }));
}
