import { expect, test } from "bun:test";
import { StopGuard } from "./stopguard.ts";

/** What goes on of a text in these pieces, behind what was said. */
function rest(stops: string[], said: string, ...pieces: string[]) {
  const guard = new StopGuard(stops, said);
  const sent = pieces.map((piece) => guard.push(piece)).join("");
  return guard.isStopped ? `${sent}|` : sent + guard.rest();
}

test.each<[string, string[], string, string[], string]>([
  ["nothing stops it", ["END"], "once", [" upon", " a time"], " upon a time"],
  ["a stop that straddles the break ends it", ["END"], "once E", ["ND", " upon"], "|"],
  ["so it does in single letters", ["END"], "once E", ["N", "D"], "|"],
  ["one that only begins is sent", ["END"], "once E", ["N", "E"], "NE"],
  ["one that is the last word is sent", ["END"], "once E", ["N"], "N"],
  ["the shorter beginning counts as well", ["aab", "ab"], "aa", ["c"], "c"],
  ["a beginning within a beginning is found", ["aab"], "xaa", ["ab"], "|"],
  ["of several stops the one that fits counts", ["END", "EOF"], "E", ["OF"], "|"],
  ["without stops all is sent", [], "E", ["ND"], "ND"],
])("%s", (_, stops, said, pieces, expected) => {
  expect(rest(stops, said, ...pieces)).toBe(expected);
});
