/** Fields with texts that end an answer. */
const FIELDS = ["stop", "stop_sequences"];

/**
 * Removes empty texts from those that end an answer: an empty one would be found at once. Returns
 * the same object if there is none.
 */
export function withoutEmptyStops(body: Record<string, unknown>): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = body[field];
    if (value === "") changed[field] = [];
    else if (Array.isArray(value) && value.includes("")) {
      changed[field] = value.filter((text) => text !== "");
    }
  }
  return Object.keys(changed).length === 0 ? body : { ...body, ...changed };
}
