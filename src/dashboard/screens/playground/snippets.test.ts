import { expect, test } from "bun:test";
import { shortened, snippetOf } from "./snippets.ts";

const request = {
  headers: { "x-llmlb-endpoint": "o'neill" },
  body: {
    ...{ model: "m", stream: true, stop: null },
    messages: [{ role: "user", content: "It's\nJSON\n`$x` \\" }],
    tools: [{ strict: false, list: [] }],
  },
};
const ORIGIN = "http://127.0.0.1:1";

test("a shell takes the body and the headers as they are", async () => {
  const command = snippetOf("curl", ORIGIN, request).replace(/^curl/, "show");
  const script = `show() { printf '%s\\n' "$@"; cat; }\n${command}`;
  const shown = await new Response(Bun.spawn(["sh", "-c", script]).stdout).text();
  expect(JSON.parse(shown.slice(shown.indexOf("\n{") + 1))).toEqual(request.body);
  expect(shown).toContain("x-llmlb-endpoint: o%27neill\n");
});

test("Python has its own words for true, false and null", () => {
  const program = snippetOf("Python", ORIGIN, request);
  expect(program).toContain("    stream=True,\n    stop=None,\n");
  expect(program).toContain('"strict": False,');
  expect(program).toContain('"content": "It\'s\\nJSON\\n`$x` \\\\",');
  expect(program).toContain("extra_headers={");
});

test("TypeScript that is shown can be read", () => {
  const program = snippetOf("TypeScript", ORIGIN, request);
  expect(() => new Bun.Transpiler({ loader: "ts" }).transformSync(program)).not.toThrow();
});

test("bytes of images are not shown", () => {
  const url = `data:image/png;base64,${"A".repeat(5000)}`;
  expect(shortened(`"${url}"`)).toBe(`"data:image/png;base64,${"A".repeat(24)}…"`);
});
