import { describe, expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { withChosenTools } from "./toolchoice.ts";

const [a, b, c] = ["a", "b", "c"].map((name) => ({ type: "function", function: { name } }));
const tools = [a, b, c];

describe("a choice of tools", () => {
  test.each([undefined, null, "auto", "none", "required"])("stays as it is: %p", (choice) => {
    const chat = { model: "m", tools, tool_choice: choice };
    expect(withChosenTools(chat)).toBe(chat);
  });

  test.each([{}, { tools: [] }, { tools: null }])(
    "is not made where there are none: %j",
    (none) => {
      const messages = [{ role: "user", content: "x" }];
      for (const choice of [{ tool_choice: "auto" }, { parallel_tool_calls: true }]) {
        expect(withChosenTools({ messages, ...none, ...choice })).toEqual({ messages, ...none });
      }
      const chat = { messages, ...none };
      expect(withChosenTools(chat)).toBe(chat);
    },
  );

  test("stays where there are none if it is wrong, for the engine to refuse", () => {
    const chat = { messages: [], tool_choice: "nothing" };
    expect(withChosenTools(chat)).toBe(chat);
  });

  test("of one shows only that one, and requires it", () => {
    const chosen = withChosenTools({ model: "m", tools, tool_choice: b });
    expect(chosen).toEqual({ model: "m", tools: [b], tool_choice: "required" });
  });

  test("of several shows those", () => {
    const allowed_tools = { mode: "auto", tools: [c, a] };
    const chat = { tools, tool_choice: { type: "allowed_tools", allowed_tools } };
    expect(withChosenTools(chat)).toEqual({ tools: [a, c], tool_choice: "auto" });
  });

  test.each([
    [{ type: "function", function: { name: "d" } }, '"d"'],
    [{ type: "custom", custom: { name: "a" } }, "must be"],
    [{}, "must be"],
  ])("is refused if it means nothing: %j", (choice, reason) => {
    let error: unknown;
    try {
      withChosenTools({ tools, tool_choice: choice });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, param: "tool_choice" });
    expect((error as ApiError).message).toContain(reason);
  });
});
