/** The hidden command that runs the local node. */
export const LOCAL_NODE_COMMAND = "local-node";
