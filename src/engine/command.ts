/** The hidden command of an engine's process, which a node starts with a message channel. */
export const ENGINE_COMMAND = "engine";
