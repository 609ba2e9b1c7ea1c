/** A new id with the given prefix, which tells what it names: `resp_`, `msg_`, `call_`. */
export function newId(prefix: string): string {
  return prefix + crypto.randomUUID().replaceAll("-", "");
}

/** The id of a chat completion that is made of another API's answer; a new id if that has none. */
export function completionId(id = ""): string {
  if (id === "") return newId("chatcmpl-");
  const rest = id.replace(/^msg_/, "");
  return rest.startsWith("chatcmpl-") ? rest : `chatcmpl-${rest}`;
}

/** The id of an Anthropic message that is made of a completion; a new id if that has none. */
export function messageId(id: string): string {
  if (id === "") return newId("msg_");
  return id.startsWith("msg_") ? id : `msg_${id.replace(/^chatcmpl-/, "")}`;
}
