import { expect, test } from "bun:test";
import { Repeat } from "./repeat.ts";

const said = (text: string) => new Repeat({ text, reasoning: "Hm", calls: new Map() });

/** The new text in these pieces. */
function rest(text: string, ...pieces: string[]): string {
  const repeat = said(text);
  const deltas = pieces.map((content) => ({ content }));
  for (const delta of deltas) repeat.strip(delta);
  return deltas.map(({ content }) => content).join("|");
}

test("what was said is taken out, however it comes in pieces", () => {
  expect(rest("Once upon", "Once", " upon a", " time")).toBe("| a| time");
  expect(rest("Once upon", "On", "ce u", "pon")).toBe("||");
  expect(rest("", "Once")).toBe("Once");
});

test("what differs is no repetition", () => {
  const differs = expect.objectContaining({ code: "stream_broken" });
  expect(() => rest("Once upon", "Once", " a")).toThrow(differs);
  expect(() => rest("Once upon", "Twice")).toThrow(differs);
  const early = said("Once upon");
  early.strip({ content: "Once", reasoning: "Hm" });
  expect(() => early.end()).toThrow(differs);
});

test("a call goes on without its id and name", () => {
  const calls = new Map([[0, { name: "f", text: '{"a"' }]]);
  const repeat = new Repeat({ text: "", reasoning: "", calls });
  const piece = (text: string, more = {}) => ({
    tool_calls: [{ index: 0, ...more, function: { ...more, arguments: text } }],
  });
  const deltas = [piece("", { id: "2", name: "f" }), piece('{"a'), piece('":1'), piece("}")];
  for (const delta of deltas) repeat.strip(delta);
  const texts = deltas.map(({ tool_calls }) => tool_calls);
  expect(texts[0]).toEqual([]);
  expect(texts[1]).toEqual([]);
  expect(texts[2]).toEqual([{ index: 0, function: { arguments: ":1" } }]);
  expect(texts[3]).toEqual([{ index: 0, function: { arguments: "}" } }]);
});
