/** What one process runs: a balancer with a node beside it, a balancer alone, or a node alone. */
export type Mode = "standalone" | "balancer" | "node";

export const MODES: Mode[] = ["standalone", "balancer", "node"];
