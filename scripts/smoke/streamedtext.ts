interface Chunk {
  choices?: { delta?: { content?: string | null } }[];
}

/** The text of a stream of OpenAI's chats; undefined if it has no proper end, or an error in it. */
export function streamedText(body: string): string | undefined {
  const lines = body.split("\n").filter((line) => line.startsWith("data: "));
  const data = lines.map((line) => line.slice("data: ".length));
  if (data.pop() !== "[DONE]") return undefined;
  const chunks = data.map((text) => JSON.parse(text) as Chunk);
  if (chunks.some(({ choices }) => choices === undefined)) return undefined;
  return chunks.map(({ choices }) => choices?.[0]?.delta?.content ?? "").join("");
}
