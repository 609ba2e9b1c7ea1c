/** Names that two files export because they are one idea at two doors: which doors, and why. */
export const ONE_IDEA_AT_TWO_DOORS: Record<string, string> = {};

/** Exports, as `file:name`, that stay although only tests reach them, each with its reason. */
export const EXPORTS_KEPT: Record<string, string> = {
  "scripts/house/imports.ts:layerOrder": "a test holds CONTRIBUTING.md against it",
};

/** Methods, as `Class.member`, that stay although only tests reach them, each with its reason. */
export const MEMBERS_KEPT: Record<string, string> = {};
