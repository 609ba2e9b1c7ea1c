import { expect, test } from "bun:test";
import { type ConfigInput, loadConfig } from "../../testkit/config.ts";

const origins = (input: ConfigInput) => loadConfig(input).settings.allowedOrigins;

test("pages of this machine are allowed unless the operator says otherwise", () => {
  expect(origins({})).toEqual(["local"]);
  expect(origins({ flags: { allowedOrigins: "none" } })).toEqual([]);
});

test("origins are read as browsers send them", () => {
  const text = "HTTPS://Chat.Example:443/, http://10.0.0.5:3000,local,tauri://localhost";
  const expected = ["https://chat.example", "http://10.0.0.5:3000", "local", "tauri://localhost"];
  expect(origins({ flags: { allowedOrigins: text } })).toEqual(expected);
  expect(origins({ config: { allowed_origins: ["*"] } })).toEqual(["*"]);
});

test.each(["chat.example", "https://a/b", "https://", "https://u@a"])("%s is refused", (text) => {
  expect(() => origins({ flags: { allowedOrigins: text } })).toThrow("must be origins such as");
});
