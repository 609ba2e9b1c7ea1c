/** A part of an answer that is read by itself. */
export interface AnswerPart {
  /** `code`: what stands between fences. `plain`: too deep to be read as Markdown. */
  kind: "markdown" | "code" | "plain";
  /** Without the fences. */
  text: string;
  /** Of code, as its fence says it; else "". */
  language: string;
  /** As the answer has it. */
  source: string;
}

/** Reading Markdown takes a time that can grow with the square of its length. */
const MARKDOWN_CHARS_MAX = 4000;
/** Less is not drawn by itself. */
const CHUNK_CHARS = 1500;
const MARKDOWN_DEPTH_MAX = 40;

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const GOES_ON = /^(?:\s|[-*+] |\d{1,9}[.)] )/;

/** Parts that are drawn together. */
export interface AnswerChunk {
  parts: AnswerPart[];
  /** All of them, as the answer has them; chunks with the same source are the same. */
  source: string;
}

/** An answer in pieces that are drawn by themselves. */
export function chunksOf(text: string): AnswerChunk[] {
  const chunks: AnswerChunk[] = [];
  let chunk: AnswerChunk = { parts: [], source: "" };
  for (const part of answerParts(text)) {
    chunk.parts.push(part);
    chunk.source += `${part.source}\n\n`;
    if (chunk.source.length < CHUNK_CHARS) continue;
    chunks.push(chunk);
    chunk = { parts: [], source: "" };
  }
  return chunk.parts.length === 0 ? chunks : [...chunks, chunk];
}

/**
 * Cuts an answer where its parts do not depend on each other: at fenced code, and at empty lines
 * before what is neither indented nor an item of a list. As an answer grows, only its last part
 * changes, so that what stands before need not be read again.
 */
function answerParts(text: string): AnswerPart[] {
  const parts: AnswerPart[] = [];
  let lines: string[] = [];
  let fence: { mark: string; language: string; line: string } | undefined;
  let wasEmpty = false;
  const endMarkdown = () => {
    const source = lines.join("\n");
    if (source.trim() !== "") parts.push(...markdownParts(source));
    lines = [];
  };
  const endCode = (end: readonly string[]) => {
    const source = [fence?.line ?? "", ...lines, ...end].join("\n");
    const language = fence?.language ?? "";
    parts.push({ kind: "code", text: lines.join("\n"), language, source });
    lines = [];
    fence = undefined;
  };
  for (const line of text.split("\n")) {
    if (fence !== undefined) {
      if (isEnd(line, fence.mark)) endCode([line]);
      else lines.push(line);
      continue;
    }
    const [, mark, info = ""] = FENCE.exec(line) ?? [];
    // An indented fence may be part of a list, which reads it itself.
    const isInList = line.startsWith(" ") && lines.length > 0;
    if (mark !== undefined && !isInList) {
      endMarkdown();
      fence = { mark, language: info.trim().split(/\s/, 1)[0] ?? "", line };
      continue;
    }
    if (wasEmpty && line.trim() !== "" && !GOES_ON.test(line)) endMarkdown();
    wasEmpty = line.trim() === "";
    lines.push(line);
  }
  if (fence === undefined) endMarkdown();
  else endCode([]);
  return parts;
}

function isEnd(line: string, mark: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= mark.length && trimmed === mark.charAt(0).repeat(trimmed.length);
}

const TABLE_RULE = /^[ \t|:-]*-[ \t|:-]*$/;

/** What is too long is cut at ends of lines, if it has any; each piece of a table has its head. */
function markdownParts(source: string): AnswerPart[] {
  const kind = isDeep(source) ? "plain" : "markdown";
  const [first = "", second = ""] = source.split("\n", 2);
  const isTable = first.includes("|") && second.includes("|") && TABLE_RULE.test(second);
  const head = isTable && first.length < MARKDOWN_CHARS_MAX ? `${first}\n${second}\n` : "";
  return cutAtLines(source).map((piece, i) => ({
    ...{ kind, text: i === 0 ? piece : head + piece },
    ...{ language: "", source: piece },
  }));
}

function cutAtLines(text: string): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > MARKDOWN_CHARS_MAX) {
    const line = rest.lastIndexOf("\n", MARKDOWN_CHARS_MAX);
    const end = line > 0 ? line : MARKDOWN_CHARS_MAX;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(line > 0 ? end + 1 : end);
  }
  return [...pieces, rest];
}

/** Thousands of quotations in each other would be as many elements in each other. */
function isDeep(text: string): boolean {
  return text.split("\n").some((line) => {
    const head = /^(?:[\s>]|[-*+]\s|\d{1,9}[.)]\s)*/.exec(line)?.[0] ?? "";
    return head.replace(/\s/g, "").length > MARKDOWN_DEPTH_MAX;
  });
}
