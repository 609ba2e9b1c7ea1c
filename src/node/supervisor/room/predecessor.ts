/** Its place among those who share a node's memory. */
export const PREDECESSOR_KEY = "predecessor";

/** The engines of the process whose place this one takes: that one ends them, not this one. */
export const PREDECESSOR = {
  ...{ label: "the llmlb before this one", isBusy: true, isPinned: false },
  ...{ usedMs: 0, loadMs: 0, readySinceMs: undefined },
  holdBack: () => undefined,
  letIn: () => undefined,
  unload: async () => undefined,
};
