import { forbiddenImports } from "./imports.ts";
import { type Breach, isScript, isTest, type Source, withoutComments } from "./source.ts";

const LINES_MAX = 300;
/** Tests, and what is there for tests only. */
const TEST_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;

/** Everything that one file does against the rules of the house. */
export function breachesOf(source: Source): Breach[] {
  const { path } = source;
  const checks = [...textChecks];
  if (isScript(path) || /\.(cpp|h)$/.test(path)) checks.push(...sizeChecks);
  if (isScript(path)) checks.push(...scriptChecks);
  return checks.flatMap((check) => check(source)).map((breach) => ({ ...breach, file: path }));
}

type Check = (source: Source) => Omit<Breach, "file">[];

const textChecks: Check[] = [unfinished, foreignPaths];
const sizeChecks: Check[] = [fileLength, columns];
const scriptChecks: Check[] = [
  functionLength,
  name,
  barrel,
  forbiddenImports,
  environment,
  anyType,
];

function fileLength({ path, text }: Source) {
  const lines = text.trimEnd().split("\n").length;
  const most = isTest(path) ? TEST_LINES_MAX : LINES_MAX;
  if (lines <= most) return [];
  return [{ line: 0, rule: "file length", text: `${lines} lines, at most ${most}` }];
}

/** Lines that only hold a long address or string cannot be broken. */
function columns({ path, text }: Source) {
  const hasSentences = /^src\/dashboard\/.*\/texts\.ts$/.test(path);
  return eachLine(text, (line) => {
    if (line.length <= COLUMNS_MAX || /https?:\/\/\S{40}/.test(line)) return undefined;
    if (hasSentences && /^\s*(\w+: )?"[^"]*",$/.test(line)) return undefined;
    return { rule: "columns", text: `${line.length} columns, at most ${COLUMNS_MAX}` };
  });
}

/** Formatted code closes a block at the indentation of the line that opened it. */
function functionLength({ path, text }: Source) {
  const lines = text.split("\n");
  const breaches: Omit<Breach, "file">[] = [];
  for (const [i, line] of lines.entries()) {
    if (!line.endsWith("{")) continue;
    const indent = line.length - line.trimStart().length;
    const head = headOf(lines, i, indent);
    if (!isFunction(head) || (isTest(path) && /^\s*describe\b/.test(head))) continue;
    const closing = `${" ".repeat(indent)}}`;
    const end = lines.findIndex((other, at) => at > i && other.startsWith(closing));
    const length = end - i + 1;
    if (end < 0 || length <= FUNCTION_LINES_MAX) continue;
    const long = `${length} lines, at most ${FUNCTION_LINES_MAX}: ${line.trim()}`;
    breaches.push({ line: i + 1, rule: "function length", text: long });
  }
  return breaches;
}

/** The whole signature that ends on line `at`, joined when it is spread over several lines. */
function headOf(lines: string[], at: number, indent: number): string {
  const line = lines[at] ?? "";
  if (!line.trimStart().startsWith(")") && !line.trimStart().startsWith("}")) return line;
  for (let i = at - 1; i >= 0; i -= 1) {
    const above = lines[i] ?? "";
    if (above.length - above.trimStart().length > indent || above === "") continue;
    return `${above} ${line}`;
  }
  return line;
}

function isFunction(head: string): boolean {
  if (/\bfunction\b/.test(head) || /=>\s*\{$/.test(head)) return true;
  const method = /^\s*(?:(?:static|async|override|get|set|private|public)\s+)*[#\w$]+(?:<.*>)?\(/;
  return method.test(head) && !/^\s*(?:if|for|while|switch|catch|with|return)\b/.test(head);
}

const FORBIDDEN = /^(utils?|helpers?|common|managers?|services?|misc|types|index)$/;

/** Commands of the program, and what is promised of them, have the names that users know. */
function name({ path }: Source) {
  if (path.startsWith("src/cli/") || path.startsWith("specs/")) return [];
  const parts = path.split("/").map((part) => part.replace(/(\.(test|spec|d))?\.\w+$/, ""));
  const bad = parts.find((part) => FORBIDDEN.test(part));
  return bad === undefined ? [] : [{ line: 0, rule: "names", text: `"${bad}" says nothing` }];
}

function barrel({ text }: Source) {
  const code = withoutComments(text).replace(/export\s+(type\s+)?[*{][^;]*?from\s*"[^"]*";/g, "");
  const isBarrel = code.trim() === "" && /\bexport\b/.test(text);
  return isBarrel ? [{ line: 0, rule: "barrel", text: "only re-exports other modules" }] : [];
}

function environment({ path, text }: Source) {
  if (path.startsWith("src/config/") || !path.startsWith("src/") || isTest(path)) return [];
  return eachLine(withoutComments(text), (line) => {
    // A line of a program that is only shown stands in quotes.
    const isQuoted = path.startsWith("src/dashboard/") && /^\s*"[^"]*",$/.test(line);
    if (isQuoted || !/\b(process|Bun|import\.meta)\.env\b/.test(line)) return undefined;
    return { rule: "environment", text: "only src/config reads the environment" };
  });
}

function anyType({ text }: Source) {
  return eachLine(withoutComments(text), (line) => {
    if (/@ts-(ignore|nocheck)\b/.test(line)) return { rule: "types", text: "a check is off" };
    const code = line.replace(/"[^"]*"|'[^']*'|`[^`]*`|\/[^/]+\/[gimsuy]*/g, '""');
    if (!/(?:\bas|[:<|&,=(]|=>)\s*any\b\s*(?=[[\]>,;)=|&{]|$)/.test(code)) return undefined;
    return { rule: "types", text: "any: use unknown and a schema" };
  });
}

function unfinished({ path, text }: Source) {
  return eachLine(text, (line) => {
    // What a patch takes out or leaves as it is was written by others.
    if (path.endsWith(".patch") && !line.startsWith("+")) return undefined;
    if (!/\b(?:TO[D]O|FIXM[E]|XX[X])\b/.test(line)) return undefined;
    return { rule: "unfinished", text: line.trim().slice(0, 80) };
  });
}

/** Addresses that only hold for one machine, or for one registry. */
function foreignPaths({ text }: Source) {
  return eachLine(text, (line) => {
    const host = /registry\.(?:npmjs|yarnpkg|npmmirror)\.\w+|registry-1\.docker\.io/.exec(line);
    const home = /(?<![\w.$~}/-])\/(?:root|work|Users|home)\/(?!you\b|user\b|llmlb\b)[\w.-]+/.exec(
      line,
    );
    const found = host?.[0] ?? home?.[0];
    return found === undefined ? undefined : { rule: "machine", text: `names ${found}` };
  });
}

function eachLine(
  text: string,
  check: (line: string) => Pick<Breach, "rule" | "text"> | undefined,
): Omit<Breach, "file">[] {
  return text.split("\n").flatMap((line, i) => {
    const found = check(line);
    return found === undefined ? [] : [{ line: i + 1, ...found }];
  });
}
