/** What the address says of the screen. `node`: the one whose window is open. */
export const DEFAULTS = { search: "", source: "", node: "" };
