import { describe, expect, test } from "bun:test";
import { PageNetwork } from "./network.ts";
import { firstMissing } from "./output.ts";
import { commandsOf, readPage } from "./page.ts";

const PAGE = `# A page: with *marks*

See [another](other.md#part) and \`[no](link)\`.

<!-- not run: no GPU -->
<!-- on: gpu1 -->

\`\`\`sh
llmlb
\`\`\`

Words.

\`\`\`console
$ echo one \\
  two
one two
$ true
\`\`\`
`;

describe("a page", () => {
  const { blocks, links, anchors } = readPage(PAGE);

  test("has blocks with their marks, links and headings", () => {
    expect(links).toEqual([{ target: "other.md#part", line: 3 }]);
    expect([...anchors]).toEqual(["a-page-with-marks"]);
    const [first, second] = blocks;
    expect(first).toMatchObject({ language: "sh", text: "llmlb\n", line: 8 });
    expect([...(first?.marks ?? [])]).toEqual([
      ["not run", "no GPU"],
      ["on", "gpu1"],
    ]);
    expect(second?.marks.size).toBe(0);
  });

  test("has commands behind `$ `, with their output below", () => {
    const block = blocks[1];
    if (block === undefined) throw new Error("there is no second block");
    expect(commandsOf(block)).toEqual([
      { script: "echo one \\\n  two\n", line: 14, output: "one two\n" },
      { script: "true\n", line: 17, output: "" },
    ]);
  });
});

test("what is printed may have other blanks, and anything where `…` stands", () => {
  expect(firstMissing("a  b\n", "a b\n\n")).toBeUndefined();
  expect(firstMissing("a…z\n", "a to z\n")).toBeUndefined();
  expect(firstMissing("…\nb\n…\n", "a\nb\nc\n")).toBeUndefined();
  expect(firstMissing("a.c\n", "abc\n")).toBe("a.c");
  expect(firstMissing("a\n", "a\nb\n")).toBe("the end, before: b");
  expect(firstMissing("a\nb\n", "a\n")).toBe("b");
});

test("addresses of a page lead to this machine, and are shown as the page has them", () => {
  const network = new PageNetwork({
    servers: new Map([["gpu2:8000", "127.0.0.1:4000"]]),
    machines: new Map([
      ["10.0.0.1", "here"],
      ["10.0.0.2", "gpu1"],
    ]),
    texts: new Map([["https://llm.example.com", "http://10.0.0.1:32768"]]),
  });
  const port = network.port("here", 32768);
  const other = network.port("gpu1", 32768);
  expect(other).not.toBe(port);
  const here = (text: string) => network.toHere(text, "here");
  expect(here("http://gpu2:8000/v1 gpu3:8000")).toBe("http://127.0.0.1:4000/v1 gpu3:8000");
  expect(here("127.0.0.1:32768 10.0.0.2:32768")).toBe(`127.0.0.1:${port} 127.0.0.1:${other}`);
  expect(here("https://llm.example.com/v1")).toBe(`http://127.0.0.1:${port}/v1`);
  expect(here("--port 32768")).toBe(`--port ${port}`);
  expect(network.toPage(`127.0.0.1:${port} 127.0.0.1:4000`, "here")).toBe(
    "127.0.0.1:32768 gpu2:8000",
  );
  expect(network.toPage(`127.0.0.1:${port}`, "gpu1")).toBe("10.0.0.1:32768");
});
