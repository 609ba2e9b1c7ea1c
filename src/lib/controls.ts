/** Characters that turn the direction of text around: a name can look like another by them. */
const TURNS = "\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069";

const CONTROLS = new RegExp(`[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f${TURNS}]`, "g");

/** Text without control characters other than tab and newline: safe to print on a terminal. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, "");
}

/** An escaped backslash, or a control character as JSON writes it. */
const ESCAPED = new RegExp(
  `\\\\\\\\|\\\\u00(?:[01][0-9a-f]|7f|[89][0-9a-f])|\\\\[bfr]|[\\x7f-\\x9f${TURNS}]`,
  "gi",
);

/** The same for the strings in the text of a JSON value; newlines and tabs in them stay. */
export function jsonWithoutControls(json: string): string {
  return json.replace(ESCAPED, (found) => (found === "\\\\" ? found : ""));
}

/** What `JSON.stringify` leaves as it is although terminals and editors act on it. */
const RAW = new RegExp(`[\\x7f-\\x9f${TURNS}]`, "g");

/** The text of a JSON value in which those are escaped, too: it means the same. */
export function jsonWithEscapedControls(json: string): string {
  return json.replace(RAW, (found) => {
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
