/** Which values an option takes: one that fits any of these. */
export interface OptionValue {
  /** Whole numbers from the first to the second. */
  whole?: readonly [min: number, max: number];
  /** Numbers from the first to the second. */
  number?: readonly [min: number, max: number];
  /** These words, in any case. */
  words?: readonly string[];
  /** A text of at most so many characters. */
  text?: number;
  /** The path of a file. */
  file?: true;
  /** Parts with commas between them, or a list of them. */
  parts?: { each: RegExp; expected: string };
}

const PATH_CHARS_MAX = 4096;
const PARTS_MAX = 128;

/**
 * Reads the value of an option, numbers also from text, and true and false as `on` and `off`.
 * Returns what it must be instead if it is wrong.
 */
export function readOption(rule: OptionValue, given: unknown): { value: string | number } | string {
  const { words = [] } = rule;
  const word = typeof given === "boolean" ? (given ? "on" : "off") : String(given).toLowerCase();
  const isSimple = ["string", "number", "boolean"].includes(typeof given);
  const found = isSimple ? words.find((one) => one === word.trim()) : undefined;
  if (found !== undefined) return { value: found };
  const number = numberOf(given);
  if (rule.whole !== undefined && Number.isInteger(number) && isWithin(rule.whole, number)) {
    return { value: number };
  }
  if (rule.number !== undefined && isWithin(rule.number, number)) return { value: number };
  if (rule.parts !== undefined && (isSimple || Array.isArray(given))) {
    const parts = (Array.isArray(given) ? given : String(given).split(",")).map(trimmed);
    const { each } = rule.parts;
    if (parts.length <= PARTS_MAX && parts.every((part) => each.test(part))) {
      return { value: parts.join(",") };
    }
  }
  if (typeof given === "string" && given.trim() !== "") {
    const charsMax = rule.file === true ? PATH_CHARS_MAX : (rule.text ?? 0);
    if (given.length <= charsMax) return { value: given };
  }
  return `must be ${expectation(rule)}`;
}

function trimmed(part: unknown): string {
  return String(part).trim();
}

function numberOf(given: unknown): number {
  if (typeof given === "number") return given;
  return typeof given === "string" && /^-?\d+(\.\d+)?$/.test(given.trim()) ? Number(given) : NaN;
}

function isWithin([min, max]: readonly [number, number], value: number): boolean {
  return value >= min && value <= max;
}

function expectation({ whole, number, words, text, file, parts }: OptionValue): string {
  const allowed = [
    ...(whole === undefined ? [] : [`a whole number from ${whole[0]} to ${whole[1]}`]),
    ...(number === undefined ? [] : [`a number from ${number[0]} to ${number[1]}`]),
    ...(words === undefined ? [] : [`one of ${words.join(", ")}`]),
    ...(text === undefined ? [] : ["a text"]),
    ...(file === undefined ? [] : ["the path of a file"]),
    ...(parts === undefined ? [] : [parts.expected]),
  ];
  return allowed.join(", or ");
}
