/** A new id that is told apart by its beginning: `resp_`, `msg_`, `toolu_`, `call_`. */
export function newId(prefix: string): string {
  return prefix + crypto.randomUUID().replaceAll("-", "");
}

/** A completion's id made of that of another API's answer, or a new one where there is none. */
export function completionId(id = ""): string {
  if (id === "") return newId("chatcmpl-");
  const rest = id.replace(/^msg_/, "");
  return rest.startsWith("chatcmpl-") ? rest : `chatcmpl-${rest}`;
}

/** A message's id made of a completion's, or a new one where there is none. */
export function messageId(id: string): string {
  if (id === "") return newId("msg_");
  return id.startsWith("msg_") ? id : `msg_${id.replace(/^chatcmpl-/, "")}`;
}

/** Now, in unix seconds, as OpenAI tells when an answer was made. */
export function unixTimeS(): number {
  return Math.floor(Date.now() / 1000);
}
