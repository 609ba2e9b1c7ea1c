/** A JSON schema without `$schema`, the name of its dialect, which Google refuses. */
export function googleSchema(schema: Record<string, unknown> | undefined) {
  if (schema === undefined) return undefined;
  const { $schema: _, ...rest } = schema;
  return rest;
}
