import { capture } from "../native/run.ts";
import type { ChangelogSection } from "./changelog.ts";

/** Names of releases in git: `v0.2.0`. */
const TAG = /^v\d+\.\d+\.\d+(-[\w.-]+)?$/;

/**
 * What git knows of the versions: a section for what is here, and one for each tag of a release
 * before it, the newest first. `date` is that of the version that is being made.
 */
export async function sectionsOf(
  folder: string,
  { version, date }: { version: string; date: string },
): Promise<ChangelogSection[]> {
  // In the order of versions, one with a suffix, such as 0.2.0-rc.1, comes before that without.
  const order = ["-c", "versionsort.suffix=-"];
  const git = (...args: string[]) => capture(["git", ...order, ...args], { cwd: folder });
  const subjects = async (range: string) =>
    linesOf(await git("log", "--no-merges", "--format=%s", range, "--"));
  const listed = linesOf(
    await git("tag", "--merged", "HEAD", "--sort=-version:refname", "--format=%(refname:short)"),
  );
  const tags = listed.filter((tag) => TAG.test(tag) && tag !== `v${version}`);
  const since = (tag: string | undefined) => (tag === undefined ? "" : `${tag}..`);
  const sections = [{ version, date, subjects: await subjects(`${since(tags[0])}HEAD`) }];
  for (const [i, tag] of tags.entries()) {
    const [day = ""] = linesOf(await git("log", "-1", "--format=%cs", tag, "--"));
    const found = await subjects(since(tags[i + 1]) + tag);
    sections.push({ version: tag.slice(1), date: day, subjects: found });
  }
  return sections;
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Throws where a tag does not name the version that package.json has. */
export function checkTag(tag: string, version: string): void {
  if (tag === `v${version}`) return;
  throw new Error(`Releasing ${tag}: package.json has version ${version}. Tag v${version}, or \
change the version.`);
}
