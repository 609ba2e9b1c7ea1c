/** A block of a page in docs/ that is fenced with three backquotes. */
export interface Block {
  /** What stands behind the fence: `sh`, `text`, `ts` … */
  language: string;
  text: string;
  /** The line of its fence, from 1. */
  line: number;
  /** HTML comments right above it: `<!-- not run: no GPU here -->` is `not run` → `no GPU here`. */
  marks: Map<string, string>;
}

/** A link of a page: `target` as it is written, without the title. */
export interface Link {
  target: string;
  line: number;
}

/** What a page has that can be tried. */
export interface GuidePage {
  blocks: Block[];
  links: Link[];
  /** The ids of its headings, as GitHub makes them. */
  anchors: Set<string>;
}

const FENCE = /^( *)```+(\w*)\s*$/;
const MARK = /^<!-- (not run|needs|on|file|ends with): (.+) -->$/;
const PICTURE = /\bsrc(?:set)?="([^"]+)"/g;
const LINK = /\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?: "[^"]*")?\)/g;

/** Reads a page in Markdown: its fenced blocks with their marks, its links and its headings. */
export function readPage(markdown: string): GuidePage {
  const page: GuidePage = { blocks: [], links: [], anchors: new Set() };
  let block: Block | undefined;
  let indent = 0;
  let marks = new Map<string, string>();
  for (const [index, text] of markdown.split("\n").entries()) {
    const fence = FENCE.exec(text);
    if (block !== undefined) {
      if (fence !== null && fence[2] === "") {
        page.blocks.push(block);
        block = undefined;
      } else block.text += `${text.slice(indent)}\n`;
      continue;
    }
    if (fence !== null) {
      indent = (fence[1] ?? "").length;
      block = { language: fence[2] ?? "", text: "", line: index + 1, marks };
      marks = new Map();
      continue;
    }
    const mark = MARK.exec(text.trim());
    if (mark !== null) marks.set(mark[1] ?? "", mark[2] ?? "");
    else if (text.trim() !== "") marks = new Map();
    readLine(page, text, index + 1);
  }
  return page;
}

function readLine(page: GuidePage, text: string, line: number): void {
  const prose = text.replace(/`[^`]*`/g, "``");
  const links = [...prose.matchAll(LINK), ...prose.matchAll(PICTURE)];
  for (const { 1: target = "" } of links) page.links.push({ target, line });
  const heading = /^#{1,6} +(.*?)\s*#*$/.exec(text);
  if (heading === null) return;
  const id = anchorOf(heading[1] ?? "");
  const count = [...page.anchors].filter((one) => one === id || one.startsWith(`${id}-`)).length;
  page.anchors.add(page.anchors.has(id) ? `${id}-${count}` : id);
}

/** The id that GitHub gives to a heading: lower case, no punctuation, blanks become dashes. */
function anchorOf(heading: string): string {
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return plain
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\-_ ]/gu, "")
    .replaceAll(" ", "-");
}

/** A command and what it prints, if the page says so. */
export interface Command {
  script: string;
  /** The line of the page before the script's first one. */
  line: number;
  output?: string;
}

/**
 * The commands of a block: all of one in `sh`; of one in `console`, what stands behind each `$ `,
 * with the lines below it as its output.
 */
export function commandsOf(block: Block): Command[] {
  if (block.language !== "console") return [{ script: block.text, line: block.line }];
  const commands: (Command & { output: string })[] = [];
  let isScript = false;
  for (const [index, text] of block.text.trimEnd().split("\n").entries()) {
    const last = commands.at(-1);
    if (text.startsWith("$ ")) {
      commands.push({ script: `${text.slice(2)}\n`, line: block.line + index, output: "" });
    } else if (last === undefined) {
      throw new Error(`line ${block.line + index + 1}: a command begins with "$ "`);
    } else if (isScript) last.script += `${text}\n`;
    else last.output += `${text}\n`;
    isScript = text.endsWith("\\");
  }
  return commands;
}
