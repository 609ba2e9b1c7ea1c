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

/** Whether a file is TypeScript or JavaScript. */
export function isScript(path: string): boolean {
  return /\.(ts|tsx|mjs)$/.test(path);
}

/** Whether a file is a test, or is there for tests only. */
export function isTest(path: string): boolean {
  return /\.(test|spec)\.tsx?$/.test(path) || /^(specs|src\/testkit)\//.test(path);
}

/** Whether a file belongs to the program that users run. */
export function isProduction(path: string): boolean {
  return path.startsWith("src/") && isScript(path) && !isTest(path);
}

/** The same text with comments blanked out; lines stay where they are. */
export function withoutComments(text: string): string {
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

/** The 1-based line of a position in a text. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}
