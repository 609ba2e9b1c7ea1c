import { type ParseErrorCode, printParseErrorCode } from "jsonc-parser";

const TEXTS: Partial<Record<ReturnType<typeof printParseErrorCode>, string>> = {
  InvalidSymbol: "is no value; texts and names stand in double quotes",
  InvalidNumberFormat: "is no number",
  PropertyNameExpected: "a name in double quotes is expected here",
  ValueExpected: "a value is expected here",
  ColonExpected: "a colon is expected here",
  CommaExpected: "a comma is expected before this",
  CloseBraceExpected: "a } is missing",
  CloseBracketExpected: "a ] is missing",
  EndOfFileExpected: "there is more behind the end",
  InvalidCommentToken: "a comment begins with // or /*",
  UnexpectedEndOfComment: "a comment has no end: */ is missing",
  UnexpectedEndOfString: 'a text has no end: " is missing in its line',
  UnexpectedEndOfNumber: "a number has no end",
  InvalidUnicode: "\\u wants four hexadecimal digits",
  InvalidEscapeCharacter: 'what follows a backslash must be one of " \\ / b f n r t u',
  InvalidCharacter: "a text has a control character in it",
};

const FOUND_CHARS_MAX = 40;

/** What is wrong with a text that is not JSON with comments, in words; `found` is where. */
export function faultText(code: ParseErrorCode, found: string): string {
  const text = TEXTS[printParseErrorCode(code)] ?? "is not understood";
  // A file that is no text at all is not to move a terminal's cursor.
  const [line = ""] = found.replace(/[^\P{C}\r\n]/gu, "?").split(/[\r\n]/);
  if (line === "") return text;
  return `${line.slice(0, FOUND_CHARS_MAX)}: ${text}`;
}
