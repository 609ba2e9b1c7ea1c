/**
 * The functions of a list of tools, for a schema to read. Tools of another `type` are those that
 * one cloud runs itself: programs name them beside their functions whatever model they talk to.
 * Where there is no function, the list stays as it is, so that the schema can name what is wrong.
 */
export function functionTools(tools: unknown): unknown {
  if (!Array.isArray(tools)) return tools;
  const functions = tools.filter((tool) => !isHosted(tool, "function"));
  return functions.length === 0 ? tools : functions;
}

/** Whether a cloud runs or describes a tool itself: its type is not that of the client's own. */
export function isHosted(tool: unknown, ownType: string): boolean {
  if (typeof tool !== "object" || tool === null || !("type" in tool)) return false;
  return typeof tool.type === "string" && tool.type !== ownType;
}
