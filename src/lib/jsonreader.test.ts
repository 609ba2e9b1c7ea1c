import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { JsonFault } from "./jsonfault.ts";
import { type JsonLimits, JsonReader } from "./jsonreader.ts";

const LIMITS = {
  depthMax: 64,
  itemsMax: 100_000,
  exactMax: 100_000,
  valuesMax: 100_000,
  tokenBytesMax: 1000,
};

interface Read {
  value?: unknown;
  repeated?: string | undefined;
  fault?: string;
}

function read(text: string | Uint8Array, limits: Partial<JsonLimits> = {}): Read {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const reader = new JsonReader(bytes, { ...LIMITS, ...limits }, ["model", "stream"]);
  try {
    while (!reader.step());
    return { value: reader.value, repeated: reader.repeated };
  } catch (error) {
    if (error instanceof JsonFault) return { fault: error.kind };
    throw error;
  }
}

/** What `JSON.parse` says, of objects only. */
function parsed(text: string): Read {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { value } : { fault: "" };
  } catch {
    return { fault: "" };
  }
}

function expectSame(text: string, sliceBytes: number): void {
  const own = read(text, { sliceBytes });
  const native = parsed(text);
  expect("value" in own, text).toBe("value" in native);
  if ("value" in native) {
    // Long integers are written as they came.
    const again: unknown = JSON.parse(JSON.stringify(own.value));
    expect(JSON.stringify(again), text).toBe(JSON.stringify(native.value));
  }
}

const objects = fc.dictionary(
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("model", "__proto__", "7", "")),
  fc.jsonValue({ stringUnit: "binary", maxDepth: 5 }),
);
const slices = fc.integer({ min: 1, max: 40 });

describe("a JSON object read in slices", () => {
  test("is the one that JSON.parse reads, wherever the slices end", () => {
    fc.assert(
      fc.property(objects, slices, fc.constantFrom(0, 1, "\t\r\n "), (value, size, space) => {
        expectSame(JSON.stringify(value, undefined, space), size);
      }),
      { numRuns: 1000 },
    );
  });

  test("is refused exactly if JSON.parse refuses it, whatever was done to it", () => {
    const marks = fc.constantFrom(
      ...'{}[]:,"\\ \t1e-.nu\u00e9\ud83d\u0000',
      "null",
      '"a"',
      "\\u00",
    );
    const cuts = fc.array(fc.tuple(fc.nat(200), fc.nat(3), marks), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(objects, slices, cuts, (value, size, changes) => {
        let text = JSON.stringify(value);
        for (const [at, count, mark] of changes) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + mark + text.slice(place + count);
        }
        expectSame(text.toWellFormed(), size);
      }),
      { numRuns: 3000 },
    );
  });

  test("has its long texts whole, with escapes and without", () => {
    const pieces = fc.constantFrom(
      "\u00e9",
      "a\u6f22".repeat(200),
      '"',
      "\n",
      "\ud83d\ude00",
      "\ud83d",
    );
    const texts = fc.array(pieces, { minLength: 1 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(texts), fc.integer({ min: 1, max: 3 }), (list, size) => {
        expectSame(JSON.stringify({ list, last: list.at(-1) }), size);
      }),
    );
    const plain = "a".repeat(1000);
    expect(read(`{"a":"${plain}\t${plain}"}`, { sliceBytes: 1 }).fault).toBe("syntax");
  });

  test.each([
    ["a comma before the end", '{"a":[1,22,]}'],
    ["a comma in front", '{"a":[,11,22]}'],
    ["two commas", '{"a":[1,,2]}'],
    ["no comma behind a list", '{"a":[[1,2,3],[4,5,6] [7,8,9]]}'],
    ["a word behind a list", '{"a":[[1,2,3] x, 1]}'],
    ["a number in front of a list", '{"a":[2[1,2,3],4]}'],
    ["a list that ends as an object", '{"a":[1,2,3}'],
    ["a name without a value", '{"aaaa":1,"b"}'],
    ["a list with a name in it", '{"a":["b":"cccccccccccc"]}'],
    ["two colons", '{"a":"b":"cccccccccccc"}'],
    ["something behind it", '{"a":1,"b":2} {'],
    ["no end", '{"a":[1,2,3'],
    ["no end of a text", '{"a":"bbbbbbbbbbbbbbbbbbb'],
    ["half an escape", '{"a":"bbbbbbbbb\\u00'],
  ])("is refused with %s", (_, text) => {
    for (let size = 1; size < 16; size += 1)
      expect(read(text, { sliceBytes: size }).fault, `${size}`).toBe("syntax");
  });

  test("says why it was refused", () => {
    expect(read("[1]").fault).toBe("no_object");
    expect(read("").fault).toBe("no_object");
    expect(read(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).fault).toBe("encoding");
    const nested = (levels: number) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
    expect(read(nested(64)).value).toBeObject();
    expect(read(nested(65)).fault).toBe("depth");
    expect(read(nested(1_000_000)).fault).toBe("depth");
    expect(read('{"a":["b",{},1,2,3]}', { itemsMax: 5 }).value).toBeObject();
    expect(read('{"a":["b",{},"c"]}', { itemsMax: 5 }).fault).toBe("items");
    expect(read('{"a":[1,2,3]}', { valuesMax: 3 }).value).toBeObject();
    expect(read('{"a":[1,2,3,4]}', { valuesMax: 3 }).fault).toBe("items");
    expect(read('{"aaaaaaaaaaaaaaaa":1}', { sliceBytes: 8, tokenBytesMax: 8 }).fault).toBe("token");
  });

  test("is refused for endless white space and numbers", () => {
    const limits = { sliceBytes: 16, tokenBytesMax: 32 };
    expect(read(`{"a":[1,${" ".repeat(30)}2]}`, limits).value).toEqual({ a: [1, 2] });
    expect(read(`{"a":[1,${" ".repeat(99)}2]}`, limits).fault).toBe("token");
    expect(read(`{"a":[1,${"2".repeat(99)},3]}`, limits).fault).toBe("token");
    expect(read(`{"a":[1,"${"2".repeat(99)}",3]}`, limits).value).toBeObject();
  });

  test("has byte order marks only in its texts", () => {
    const text = '{"a":"\ufeff\ufeff\ufeff"}';
    expect(read(text, { sliceBytes: 4 }).value).toEqual({ a: "\ufeff\ufeff\ufeff" });
    expect(read(`\ufeff${text}`).fault).toBe("no_object");
  });

  test("reads the last fields of an object as all of its own, however small the slices", () => {
    const text = '{"a":{"b":[1,2]},"max":18446744073709551615}';
    for (let sliceBytes = 1; sliceBytes < text.length; sliceBytes += 1) {
      const reader = new JsonReader(Buffer.from(text), { ...LIMITS, sliceBytes });
      while (!reader.step());
      expect([sliceBytes, typeof (reader.value as { max: unknown }).max]).toEqual([
        sliceBytes,
        "number",
      ]);
    }
  });

  test("keeps digits, except at the top", () => {
    const text = '{"max":18446744073709551615,"a":[9007199254740993,{"b":9007199254740993}]}';
    for (const sliceBytes of [4, 1000]) {
      const { value } = read(text, { sliceBytes });
      expect(value).toMatchObject({ max: 2 ** 64 });
      expect(JSON.stringify(value)).toEndWith('"a":[9007199254740993,{"b":9007199254740993}]}');
    }
  });

  test.each([
    ["twice", '{"model":"a","model":"b"}', "model"],
    ["twice with escapes", '{"model":"a","\\u006d\\u006fdel":"b"}', "model"],
    ["another one twice", '{"stream":true,"model":"a","stream":false}', "stream"],
    ["once", '{"model":"model","x":{"model":1},"y":["model","model"]}', undefined],
    ["once beside one of the same length", '{"model":"a","mode!":1,"z":"\\u0041"}', undefined],
  ])("tells of a field that is given %s", (_, text, repeated) => {
    for (const sliceBytes of [16, 1000]) expect(read(text, { sliceBytes }).repeated).toBe(repeated);
  });
});

describe("a list that may be longer than what is wanted of it", () => {
  const list = (length: number) => Array.from({ length }, (_, i) => ({ id: `m${i}`, tags: [i] }));

  test.each([1, 7, 64, 10_000])("gives its first items, read in slices of %p", (sliceBytes) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ data: list(50), models: list(3) }));
    const reader = new JsonReader(bytes, { ...LIMITS, sliceBytes, listMax: 20 });
    while (!reader.step());
    if (sliceBytes > bytes.length) {
      expect(reader.value).toEqual({ data: list(50), models: list(3) });
      return;
    }
    expect(reader.value).toEqual({ data: list(20), models: list(3) });
    expect(reader.longestList).toBe(50);
  });

  test("may stand alone where that is wanted", () => {
    const bytes = new TextEncoder().encode(JSON.stringify(list(50)));
    const reader = new JsonReader(bytes, { ...LIMITS, sliceBytes: 16, mayBeList: true });
    while (!reader.step());
    expect(reader.value).toEqual(list(50));
    expect(read("[1]")).toEqual({ fault: "no_object" });
  });
});
