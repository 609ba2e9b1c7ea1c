import type { Release, ReleaseFile } from "./feed.ts";

/** What is to be done about a release. */
export type UpdateChoice =
  | { kind: "update"; file: ReleaseFile }
  | { kind: "current" }
  /** What runs is newer. */
  | { kind: "older" }
  /** It has nothing for this platform. */
  | { kind: "absent" };

/**
 * Decides about a release:
 *
 * | the release is       | has a file for the platform | then                                |
 * |----------------------|-----------------------------|-------------------------------------|
 * | what runs            |                             | `current`                           |
 * | older than what runs |                             | `older`: a feed never leads back    |
 * | newer                | no                          | `absent`                            |
 * | newer                | yes                         | `update`                            |
 */
export function chooseUpdate(
  { version, files }: Pick<Release, "version" | "files">,
  running: { version: string; platform: string },
): UpdateChoice {
  const order = Bun.semver.order(version, running.version);
  if (order === 0) return { kind: "current" };
  if (order < 0) return { kind: "older" };
  const file = files.find(({ platform }) => platform === running.platform);
  return file === undefined ? { kind: "absent" } : { kind: "update", file };
}
