import { describe, expect, test } from "bun:test";
import { engineChat, engineCompletion } from "./enginebody.ts";
import { hasHalfCharacter, wellFormedJson } from "./surrogates.ts";

const HELLO = { role: "user", content: "Hello" };

function call(text: unknown) {
  const called = { id: "c1", type: "function", function: { name: "f", arguments: text } };
  return { messages: [HELLO, { role: "assistant", content: null, tool_calls: [called] }] };
}

/** The arguments of a chat's only call, as an engine gets them. */
function argumentsOf(chat: Record<string, unknown>): unknown {
  const messages = chat.messages as { tool_calls?: { function: { arguments: unknown } }[] }[];
  return messages[1]?.tool_calls?.[0]?.function.arguments;
}

describe("a chat's history", () => {
  test.each(['{"a":1}', "{}", { a: 1 }])("stays where calls can be read: %j", (text) => {
    const chat = call(text);
    expect(engineChat(chat)).toBe(chat);
  });

  test.each([
    ["", "{}"],
    [null, "{}"],
    [" \n", "{}"],
    ['{"a": "cut', '{"arguments":"{\\"a\\": \\"cut"}'],
    ['"text"', '{"arguments":"\\"text\\""}'],
    ["[1]", '{"arguments":"[1]"}'],
  ])("has arguments that are no object as text: %j", (text, read) => {
    expect(argumentsOf(engineChat(call(text)))).toBe(read);
  });

  test("has arguments as text that are nested too deeply for an engine", () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    expect(argumentsOf(engineChat(call(deep)))).toBe(JSON.stringify({ arguments: deep }));
  });

  test("has no member that is null instead of absent", () => {
    const messages = [{ role: "tool", tool_call_id: null, name: null, content: "x" }];
    expect(engineChat({ messages })).toEqual({ messages: [{ role: "tool", content: "x" }] });
  });
});

describe("texts that end an answer", () => {
  test("are none if they are empty", () => {
    expect(engineCompletion({ prompt: "a", stop: "" })).toEqual({ prompt: "a", stop: [] });
    expect(engineCompletion({ stop: ["", "a"] })).toEqual({ stop: ["a"] });
    const body = { stop: ["a"] };
    expect(engineCompletion(body)).toBe(body);
  });
});

describe("an image", () => {
  const chat = (image_url: unknown) => ({
    messages: [{ role: "user", content: [{ type: "image_url", image_url }] }],
  });

  test("may have its scheme and type in capitals", () => {
    expect(engineChat(chat({ url: "data:IMAGE/PNG;BASE64,AbC" }))).toEqual(
      chat({ url: "data:image/png;base64,AbC" }),
    );
    const plain = chat({ url: "data:image/png;base64,AbC" });
    expect(engineChat(plain)).toBe(plain);
  });

  test("as a text by itself is refused with its place", () => {
    expect(() => engineChat(chat("data:image/png;base64,AbC"))).toThrow(
      "`messages.0.content.0.image_url` must be an object with a text `url`",
    );
  });
});

describe("a grammar beside a schema", () => {
  test.each([{ json_schema: {} }, { response_format: { type: "json_object" } }])(
    "is refused: %j",
    (other) => {
      expect(() => engineCompletion({ grammar: 'root ::= "a"', ...other })).toThrow("exclude");
    },
  );

  test.each([{ response_format: { type: "text" } }, { json_schema: null }, {}])(
    "is not there: %j",
    (other) => {
      const body = { grammar: 'root ::= "a"', ...other };
      expect(engineCompletion(body)).toBe(body);
    },
  );
});

describe("half a character", () => {
  const bytes = (text: string) => Buffer.from(text);

  test.each(['"\\ud83d"', '"\\uD83Dx"', '"x\\ude00"', '"\\ud83d\\ud83d\\ude00"'])(
    "is found in %s and replaced",
    (json) => {
      expect(hasHalfCharacter(bytes(json))).toBe(true);
      expect(wellFormedJson([JSON.parse(json)])).not.toMatch(/\\ud/);
      expect(wellFormedJson([JSON.parse(json)])).toContain("\\ufffd");
    },
  );

  test.each(['"\\ud83d\\ude00"', '"\\u00e4"', '"ud83d"'])("is not in %s", (json) => {
    expect(hasHalfCharacter(bytes(json))).toBe(false);
  });

  test("is told from a backslash", () => {
    expect(wellFormedJson(["\\ud83d", "\\\ud83d"])).toBe('["\\\\ud83d","\\\\\\ufffd"]');
  });
});
