/** A place where a file breaks a rule of the house. */
export interface Breach {
  file: string;
  /** 1-based; 0 when it is about the whole file. */
  line: number;
  rule: string;
  text: string;
}

/** A source file: its path in the repository, with forward slashes, and its text. */
export interface Source {
  path: string;
  text: string;
}

const LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;

const isScript = (path: string) => /\.(ts|tsx|mjs)$/.test(path);
const isTest = (path: string) =>
  /\.(test|spec)\.tsx?$/.test(path) || /^(specs|src\/testkit)\//.test(path);

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
const scriptChecks: Check[] = [functionLength, name, barrel, imports, environment, anyType];

function fileLength({ text }: Source) {
  const lines = text.trimEnd().split("\n").length;
  if (lines <= LINES_MAX) return [];
  return [{ line: 0, rule: "file length", text: `${lines} lines, at most ${LINES_MAX}` }];
}

/** Lines that only hold a long address or string cannot be broken. */
function columns({ text }: Source) {
  return eachLine(text, (line) => {
    if (line.length <= COLUMNS_MAX || /https?:\/\/\S{40}/.test(line)) return undefined;
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

/** Commands of the program have the names that users know them by. */
function name({ path }: Source) {
  if (path.startsWith("src/cli/")) return [];
  const parts = path.split("/").map((part) => part.replace(/(\.(test|spec|d))?\.\w+$/, ""));
  const bad = parts.find((part) => FORBIDDEN.test(part));
  return bad === undefined ? [] : [{ line: 0, rule: "names", text: `"${bad}" says nothing` }];
}

function barrel({ text }: Source) {
  const code = withoutComments(text).replace(/export\s+(type\s+)?[*{][^;]*?from\s*"[^"]*";/g, "");
  const isBarrel = code.trim() === "" && /\bexport\b/.test(text);
  return isBarrel ? [{ line: 0, rule: "barrel", text: "only re-exports other modules" }] : [];
}

/** A module that is imported, and on which line. */
export interface Import {
  line: number;
  specifier: string;
}

/** The modules that a file imports, statically or dynamically. */
export function importsOf(text: string): Import[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)"([^"\n]+)"/gm;
  const code = withoutComments(text);
  return [...code.matchAll(pattern)].map((match) => ({
    line: code.slice(0, match.index + match[0].length).split("\n").length,
    specifier: match[1] ?? "",
  }));
}

/** What only one folder may import. */
const EXCLUSIVE: Record<string, string> = {
  "bun:ffi": "src/engine/",
  "bun:sqlite": "src/db/engine/",
};

/** Folders of src/, lowest first; a folder may import from its own rank where it is named. */
const RANKS: Record<string, number> = {
  lib: 0,
  wire: 1,
  config: 2,
  http: 3,
  db: 4,
  model: 4,
  storage: 5,
  translation: 5,
  engine: 5,
  registry: 6,
  auth: 6,
  dashboard: 6,
  balancer: 7,
  node: 7,
  cli: 8,
  main: 9,
};

function imports({ path, text }: Source) {
  return importsOf(text).flatMap(({ line, specifier }) => {
    const text = whyForbidden(path, specifier);
    return text === undefined ? [] : [{ line, rule: "imports", text }];
  });
}

function whyForbidden(path: string, specifier: string): string | undefined {
  const owner = EXCLUSIVE[specifier];
  if (owner !== undefined) {
    const fits = path.startsWith(owner) || isTest(path) || !path.startsWith("src/");
    return fits ? undefined : `${specifier} belongs to ${owner}`;
  }
  if (!specifier.startsWith(".")) return undefined;
  if (!/\.\w+$/.test(specifier) || /\.jsx?$/.test(specifier)) {
    return `${specifier} needs its file's own ending, e.g. .ts`;
  }
  const from = folderOf(path);
  const to = folderOf(new URL(specifier, `file:///${path}`).pathname.slice(1));
  if (to === "testkit" && path.startsWith("src/") && !isTest(path))
    return "only tests import testkit";
  if (from === undefined || to === undefined || from === to || isTest(path)) return undefined;
  if (from === "dashboard") return to === "wire" ? undefined : `dashboard imports ${to}, not wire`;
  const [low, high] = [RANKS[to], RANKS[from]];
  if (low === undefined || high === undefined) return `the folder src/${to} has no place yet`;
  return low < high ? undefined : `${from} must not import ${to}`;
}

/** The folder of src/ that a file belongs to; `main` for src/main.ts, undefined elsewhere. */
function folderOf(path: string): string | undefined {
  const parts = path.split("/");
  if (parts[0] !== "src") return undefined;
  return parts.length === 2 ? parts[1]?.replace(/\.ts$/, "") : parts[1];
}

function environment({ path, text }: Source) {
  if (path.startsWith("src/config/") || !path.startsWith("src/") || isTest(path)) return [];
  return eachLine(withoutComments(text), (line) => {
    if (!/\b(process|Bun|import\.meta)\.env\b/.test(line)) return undefined;
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

/** The same text with comments blanked out; lines stay where they are. */
function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (whole, string: string | undefined) =>
    string === undefined ? whole.replace(/[^\n]/g, " ") : whole,
  );
}

const STRING_OR_COMMENT = new RegExp(
  [
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)/.source,
    /\/\*[\s\S]*?\*\//.source,
    /(?<![:\\])\/\/[^\n]*/.source,
  ].join("|"),
  "g",
);
