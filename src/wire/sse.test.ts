import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EventReader, eventFrame } from "./sse.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function read(text: string, cut = text.length): unknown[] {
  const bytes = encode(text);
  const reader = new EventReader();
  return [...reader.push(bytes.slice(0, cut)), ...reader.push(bytes.slice(cut)), ...reader.end()];
}

describe("reading server-sent events", () => {
  test("takes names, several data lines, all line ends, and no comments", () => {
    const text = ": hi\n\nevent: a\ndata: 1\ndata:2\n\ndata: x\r\nid: 7\r\n\r\nevent: none\n\n";
    expect(read(text)).toEqual([
      { event: "a", data: "1\n2" },
      { event: undefined, data: "x" },
    ]);
  });

  test("gives the last event of a stream that is not closed with an empty line", () => {
    expect(read("data: [DONE]")).toEqual([{ event: undefined, data: "[DONE]" }]);
  });

  test("does not depend on where the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.constantFrom("a", undefined), data: fc.jsonValue() })),
        fc.nat(),
        (events, at) => {
          const text = events.map(({ name, data }) => eventFrame(data, name)).join("");
          const cut = at % (encode(text).length + 1);
          const expected = events.map(({ name, data }) => ({
            event: name,
            data: JSON.stringify(data),
          }));
          expect(read(text, cut)).toEqual(expected);
        },
      ),
    );
  });
});
