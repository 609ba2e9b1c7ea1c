import { isFields } from "./transcript.ts";

type Fields = Record<string, unknown>;

/** Lists of completions with one entry for each token; of chats it is `content`. */
const LISTS = ["tokens", "token_logprobs", "top_logprobs", "text_offset", "content", "refusal"];

/** The texts of the tokens whose probabilities an event tells. */
function tokensIn({ tokens, content }: Fields): unknown[] {
  if (Array.isArray(tokens)) return tokens;
  return Array.isArray(content) ? content.map((one) => (isFields(one) ? one.token : "")) : [];
}

/** The probabilities of the tokens behind so many characters; undefined if there are none. */
export function probabilitiesBehind(given: Fields, chars: number): Fields | undefined {
  if (chars === 0) return given;
  let [count, length] = [0, 0];
  const tokens = tokensIn(given);
  for (const token of tokens) {
    length += String(token).length;
    if (length > chars) break;
    count += 1;
  }
  return count === tokens.length ? undefined : withLists(given, (list) => list.slice(count));
}

/** The same of a text that is behind another one. */
export function probabilitiesMoved(given: Fields, chars: number): Fields {
  const { text_offset: offsets } = given;
  if (!Array.isArray(offsets)) return given;
  return { ...given, text_offset: offsets.map((at) => (typeof at === "number" ? at + chars : at)) };
}

/** The probabilities of two pieces of a text, as those of one. */
export function probabilitiesOfBoth(first: Fields | undefined, second: Fields): Fields {
  if (first === undefined) return second;
  return withLists(second, (list, name) => [first[name] ?? [], list].flat());
}

function withLists(given: Fields, change: (list: unknown[], name: string) => unknown[]): Fields {
  const made = { ...given };
  for (const name of LISTS) {
    const list = given[name];
    if (Array.isArray(list)) made[name] = change(list, name);
  }
  return made;
}
