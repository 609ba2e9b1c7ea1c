/** The value that a text of somebody else's stands for; undefined if it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Whoever asked sees it, and knows what to say of it.
  }
}

/** The same where only an object will do. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  const json = parseJson(text);
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? { ...json }
    : undefined;
}
