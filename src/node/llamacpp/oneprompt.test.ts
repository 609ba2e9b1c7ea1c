import { expect, test } from "bun:test";
import { withOnePrompt } from "./oneprompt.ts";

test("a list of one text is that text", () => {
  const request = { model: "m", prompt: ["once"], n: 2 };
  expect(withOnePrompt(request)).toEqual({ model: "m", prompt: "once", n: 2 });
});

test.each([
  { prompt: "once" },
  { prompt: undefined },
  { prompt: null },
  { prompt: [] },
  { prompt: ["once", "twice"] },
  { prompt: [7] },
  { prompt: [[7, 8]] },
  { prompt: { prompt_string: "once" } },
])("any other prompt stays as it is: %j", ({ prompt }) => {
  const request = { model: "m", prompt };
  expect(withOnePrompt(request)).toBe(request);
});
