/** What came with one version. */
export interface ChangelogSection {
  version: string;
  /** Such as 2026-11-26. */
  date: string;
  /** First lines of the commits, the newest first: `area: what changed`. */
  subjects: readonly string[];
}

/** A feed has no longer notes than this. */
const NOTES_LENGTH_MAX = 9_000;

/** Areas that are no part of the program, so that users do not notice them. */
const BEHIND = new Set([
  ...["bench", "ci", "deps", "docs", "fixtures", "fuzz", "house", "scaffold", "scripts", "smoke"],
  ...["soak", "specs", "testkit", "tests"],
]);
const DEVELOPMENT = "Development";
const OTHER = "Other";

/** The changelog of all versions, the first section on top, in Markdown. */
export function changelogOf(sections: readonly ChangelogSection[]): string {
  return `# Changelog\n\n${sections.map(sectionText).join("\n")}`;
}

/** What a feed says of a version: its part of the changelog, cut where it is too long. */
export function notesOf(section: ChangelogSection): string {
  const lines = groupLines(section);
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > NOTES_LENGTH_MAX) return `${kept.join("\n")}\n- …\n`;
    kept.push(line);
  }
  return `${kept.join("\n")}\n`;
}

function sectionText(section: ChangelogSection): string {
  const title = `## ${section.version} (${section.date})`;
  return `${[title, "", ...groupLines(section)].join("\n")}\n`;
}

/**
 * The lines of a section: a group for each area in the order of its name, then what has none, then
 * what is behind the program.
 *
 * | first line of the commit         | group       | line                  |
 * |----------------------------------|-------------|-----------------------|
 * | `http: answers are shorter`      | http        | answers are shorter   |
 * | `http, balancer: one word for it`| http        | one word for it       |
 * | `specs: it waits for the line`   | Development | specs: it waits for … |
 * | `all is one piece`               | Other       | all is one piece      |
 */
function groupLines({ subjects }: ChangelogSection): string[] {
  const groups = new Map<string, string[]>();
  for (const subject of subjects) {
    const { group, line } = entryOf(subject);
    const lines = groups.get(group) ?? [];
    groups.set(group, lines);
    if (!lines.includes(line)) lines.push(line);
  }
  const named = [...groups.keys()].filter((name) => name !== OTHER && name !== DEVELOPMENT).sort();
  const order = [...named, OTHER, DEVELOPMENT].filter((name) => groups.has(name));
  if (order.length === 0) return ["Nothing has changed."];
  const texts = order.map((name) => {
    const lines = groups.get(name) ?? [];
    return [`### ${name}`, "", ...lines.map((line) => `- ${line}`)];
  });
  return texts.flatMap((lines, i) => (i === 0 ? lines : ["", ...lines]));
}

function entryOf(subject: string): { group: string; line: string } {
  const [, areas, what] = /^([a-z][\w-]*(?:, [a-z][\w-]*)*): (.+)$/.exec(subject) ?? [];
  if (areas === undefined || what === undefined) return { group: OTHER, line: subject };
  const names = areas.split(", ");
  if (names.every((name) => BEHIND.has(name))) return { group: DEVELOPMENT, line: subject };
  return { group: names.find((name) => !BEHIND.has(name)) ?? OTHER, line: what };
}
