import { describe, expect, test } from "bun:test";
import type { ToolCallDelta } from "../../wire/chat.ts";
import { ToolCallTracker } from "./toolcalls.ts";

/** The calls that these pieces make, as `id name arguments`. */
function callsOf(...pieces: ToolCallDelta[]): string[] {
  const tracker = new ToolCallTracker();
  const texts: string[] = [];
  for (const piece of pieces) {
    const { number } = tracker.add(piece);
    texts[number] = (texts[number] ?? "") + (piece.function?.arguments ?? "");
  }
  return tracker.calls.map(({ id, name }, i) => `${id} ${name} ${texts[i]}`);
}

const piece = (
  args: string,
  more: Omit<ToolCallDelta, "function"> = {},
  name = "",
): ToolCallDelta => {
  return { ...more, function: { arguments: args, ...(name === "" ? {} : { name }) } };
};

describe("pieces of calls", () => {
  test.each(["", "f"])("belong to one call though its id changes, named again %j", (name) => {
    const ids = [
      { index: 0, id: "c2" },
      { index: 0, id: "c3" },
    ];
    const rest = [piece('{"a"', ids[0], name), piece(":1}", ids[1], name)];
    expect(callsOf(piece("", { index: 0, id: "c1" }, "f"), ...rest)).toEqual(['c1 f {"a":1}']);
  });

  test("have an id, or a name, that may come late", () => {
    const late = [piece('{"a"', { index: 0 }), piece(":1}", { index: 0, id: "c" }, "f")];
    expect(callsOf(...late)).toEqual(['c f {"a":1}']);
  });

  test("are told apart by their index, mixed", () => {
    const begun = [piece("{", { index: 0, id: "a" }, "f"), piece("{", { index: 1, id: "b" }, "f")];
    const calls = callsOf(...begun, piece('"x":1}', { index: 0 }), piece("}", { index: 1 }));
    expect(calls).toEqual(['a f {"x":1}', "b f {}"]);
  });

  test.each([
    ["the same index", { index: 0 }],
    ["no index", {}],
    ["null as index", { index: null }],
  ])("of parallel calls with %s are told apart by what is complete", (_, more) => {
    const named = (id: string) => ({ ...more, id });
    const one = [piece('{"a":', named("x"), "f"), piece("1}", more)];
    const two = [piece("", named("y"), "f"), piece("{}", more)];
    expect(callsOf(...one, ...two)).toEqual(['x f {"a":1}', "y f {}"]);
    const nameless = [piece('{"a":', more, "f"), piece("1}", more), piece("{}", more, "f")];
    expect(callsOf(...nameless)).toEqual([' f {"a":1}', " f {}"]);
    const silent = [piece("", more, "f"), piece("", more, "g")];
    expect(callsOf(...silent)).toEqual([" f ", " g "]);
  });

  test("without an index belong where their id was told before", () => {
    const begun = [piece("{", { id: "a" }, "f"), piece("{}", { id: "b", index: 1 }, "g")];
    expect(callsOf(...begun, piece("}", { id: "a" }))).toEqual(["a f {}", "b g {}"]);
  });
});
