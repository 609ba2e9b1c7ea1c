import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { namesTwice, unreachedExports } from "./house/exports.ts";
import { importCircles, meanLines } from "./house/graph.ts";
import { importsOf, layerOrder } from "./house/imports.ts";
import { unreachedMembers } from "./house/members.ts";
import { pageReferences } from "./house/pages.ts";
import { breachesOf } from "./house/rules.ts";
import { breachesUnder, sourcesOf } from "./house/tree.ts";

const ROOT = join(import.meta.dir, "..");

test("the repository keeps the rules of the house", async () => {
  const breaches = await breachesUnder(ROOT);
  expect(breaches.map((b) => `${b.file}:${b.line}: ${b.rule}: ${b.text}`)).toEqual([]);
}, 60_000);

test("CONTRIBUTING.md has the order of the folders that the rules have", () => {
  const folders = readdirSync(join(ROOT, "src")).filter((name) => name !== "testkit");
  const order = layerOrder(folders.map((name) => name.replace(/\.ts$/, "")));
  expect(readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8").split("\n")).toContain(order);
});

function rulesOf(path: string, text: string): string[] {
  return breachesOf({ path, text }).map((breach) => breach.rule);
}

describe("the rule about", () => {
  const body = (lines: number) => Array.from({ length: lines }, (_, i) => `  f(${i});`).join("\n");

  test("sizes: 300 lines (tests 400) and 100 columns pass, one more does not", () => {
    expect(rulesOf("src/lib/a.ts", "f();\n".repeat(300))).toEqual([]);
    expect(rulesOf("src/lib/a.ts", "f();\n".repeat(301))).toEqual(["file length"]);
    expect(rulesOf("src/lib/a.test.ts", "f();\n".repeat(400))).toEqual([]);
    expect(rulesOf("src/lib/a.test.ts", "f();\n".repeat(401))).toEqual(["file length"]);
    expect(rulesOf("native/a.cpp", "x".repeat(100))).toEqual([]);
    expect(rulesOf("native/a.cpp", "x".repeat(101))).toEqual(["columns"]);
    expect(rulesOf("docs/a.md", "x".repeat(101))).toEqual([]);
  });

  test.each([
    ["a function", "export async function f(a: number) {"],
    ["a function over several lines", "function f(\n  a: number,\n): void {"],
    ["an arrow function", "const f = async () => {"],
    ["a callback", "app.use((c) => {"],
  ])("function length: %s of 70 lines passes, of 71 does not", (_, head) => {
    expect(rulesOf("src/lib/a.ts", `${head}\n${body(68)}\n}`)).toEqual([]);
    expect(rulesOf("src/lib/a.ts", `${head}\n${body(69)}\n}`)).toEqual(["function length"]);
  });

  test("function length: methods count, classes and loops do not", () => {
    const method = `class A {\n  async #f<T>(a: T) {\n${body(69)}\n  }\n}`;
    expect(rulesOf("src/lib/a.ts", method)).toEqual(["function length"]);
    expect(rulesOf("src/lib/a.ts", `class A {\n${body(90)}\n}`)).toEqual([]);
    expect(rulesOf("src/lib/a.ts", `for (const a of b) {\n${body(90)}\n}`)).toEqual([]);
    expect(rulesOf("src/lib/a.test.ts", `describe("x", () => {\n${body(90)}\n});`)).toEqual([]);
  });

  test("names", () => {
    expect(rulesOf("src/lib/utils.ts", "f();")).toEqual(["names"]);
    expect(rulesOf("src/helpers/a.ts", "f();")).toEqual(["names"]);
    expect(rulesOf("src/lib/types.test.ts", "f();")).toEqual(["names"]);
    expect(rulesOf("src/lib/backoff.ts", "f();")).toEqual([]);
  });

  test("barrels", () => {
    expect(rulesOf("src/wire/all.ts", '// a\nexport * from "./a.ts";')).toEqual(["barrel"]);
    expect(rulesOf("src/wire/all.ts", 'export {\n  a,\n} from "./a.ts";')).toEqual(["barrel"]);
    expect(rulesOf("src/wire/all.ts", 'export { a } from "./a.ts";\nf();')).toEqual([]);
  });

  test.each([
    ["src/wire/a.ts", "../http/app.ts"],
    ["src/balancer/a.ts", "../node/b.ts"],
    ["src/node/a.ts", "../balancer/b.ts"],
    ["src/engine/a.ts", "../node/b.ts"],
    ["src/dashboard/a.tsx", "../http/app.ts"],
    ["src/dashboard/screens/keys/a.ts", "../../../auth/b.ts"],
    ["src/http/a.ts", "../elsewhere/b.ts"],
    ["src/lib/a.ts", "./b"],
    ["src/lib/a.ts", "./b.js"],
    ["src/node/a.ts", "bun:ffi"],
    ["src/auth/a.ts", "bun:sqlite"],
    ["src/db/state/a.ts", "bun:sqlite"],
    ["src/http/a.ts", "../testkit/b.ts"],
    ["src/http/a.ts", "./b.test.ts"],
    ["src/http/a.test.ts", "../../specs/b.ts"],
    ["src/testkit/a.ts", "../../specs/b.ts"],
  ])("imports: %s must not import %s", (path, specifier) => {
    expect(rulesOf(path, `import { b } from "${specifier}";`)).toEqual(["imports"]);
    expect(rulesOf(path, `await import("${specifier}");`)).toEqual(["imports"]);
    expect(rulesOf(path, `import "${specifier}";`)).toEqual(["imports"]);
    expect(rulesOf(path, `// import { b } from "${specifier}";`)).toEqual([]);
  });

  test.each([
    ["src/main.ts", "./cli/serve.ts"],
    ["src/cli/a.ts", "../balancer/b.ts"],
    ["src/balancer/a.ts", "../wire/b.ts"],
    ["src/auth/a.ts", "../db/b.ts"],
    ["src/config/a.ts", "../../package.json"],
    ["src/http/a.test.ts", "../node/b.ts"],
    ["src/http/a.test.ts", "../testkit/b.ts"],
    ["specs/a.spec.ts", "../src/testkit/b.ts"],
    ["src/engine/a.ts", "bun:ffi"],
    ["src/db/engine/a.ts", "bun:sqlite"],
    ["src/dashboard/a.tsx", "../wire/b.ts"],
    ["src/dashboard/a.tsx", "../lib/b.ts"],
    ["src/lib/a.ts", "hono"],
  ])("imports: %s may import %s", (path, specifier) => {
    expect(rulesOf(path, `import { b } from "${specifier}";`)).toEqual([]);
  });

  test("environment", () => {
    expect(rulesOf("src/node/a.ts", "f(process.env.HOME);")).toEqual(["environment"]);
    expect(rulesOf("src/node/a.ts", "f(Bun.env.HOME);")).toEqual(["environment"]);
    expect(rulesOf("src/node/a.ts", "// process.env.HOME")).toEqual([]);
    expect(rulesOf("src/config/a.ts", "f(process.env.HOME);")).toEqual([]);
    expect(rulesOf("scripts/a.ts", "f(process.env.HOME);")).toEqual([]);
  });

  test("types", () => {
    const bad = ["let a: an_;", "f(b as an_);", "let a: Map<string, an_>;", "let a: an_[];"];
    for (const line of bad) {
      expect(rulesOf("src/lib/a.ts", line.replace("an_", "any"))).toEqual(["types"]);
    }
    const good = ['f("as any");', "// as any", "let any = 1;", "Promise.any(a);", "f(`: any`);"];
    for (const line of good) expect(rulesOf("src/lib/a.ts", line)).toEqual([]);
  });

  test("unfinished work", () => {
    for (const word of ["TO_DO", "FIX_ME"]) {
      const line = `// ${word.replace("_", "")}: later`;
      expect(rulesOf("native/a.cpp", line)).toEqual(["unfinished"]);
      expect(rulesOf("docs/a.md", line)).toEqual(["unfinished"]);
    }
    expect(rulesOf("docs/a.md", "a todo list")).toEqual([]);
  });

  test("machines", () => {
    const paths = ["/ro_ot/.cache", "/wo_rk/main", "/ho_me/ann/x", "registry.npm_js.org"];
    for (const path of paths) {
      expect(rulesOf("docs/a.md", `see ${path.replace("_", "")}`)).toEqual(["machine"]);
    }
    for (const path of ["/home/you/models", `~/${"work"}/x`, `https://a.example/${"work"}/x`]) {
      expect(rulesOf("docs/a.md", `see ${path}`)).toEqual([]);
    }
  });
});

test("imports are found with their lines, also when they span several", () => {
  const text = 'import {\n  a,\n} from "./a.ts";\nexport * from "./b.ts";\nimport("./c.ts");\n';
  expect(importsOf(text)).toEqual([
    { line: 3, specifier: "./a.ts" },
    { line: 4, specifier: "./b.ts" },
    { line: 5, specifier: "./c.ts" },
  ]);
});

describe("the rule about the whole tree:", () => {
  const tree = (files: Record<string, string>) =>
    Object.entries(files).map(([path, text]) => ({ path, text }));
  const use = (file: string, name: string) => `import { ${name} } from "./${file}.ts";\n${name}();`;

  test("circles of imports are found once, types included, with the shortest way round", () => {
    const files = tree({
      "src/lib/a.ts": 'import { b } from "./b.ts";',
      "src/lib/b.ts": 'f();\nimport type { c } from "./c.ts";\nimport { d } from "./d.ts";',
      "src/lib/c.ts": 'import { a } from "./a.ts";\nimport { b } from "./b.ts";',
      "src/lib/d.ts": "export const d = 1;",
    });
    const text = "src/lib/b.ts → src/lib/c.ts → src/lib/b.ts (3 files hang together)";
    expect(importCircles(files)).toEqual([
      { file: "src/lib/b.ts", line: 2, rule: "import circle", text },
    ]);
    expect(importCircles(files.slice(1, 2))).toEqual([]);
  });

  test("a name stands in one file, be it a value, a type or both", () => {
    const both = "export const Size = 1;\nexport type Size = 1;";
    const files = tree({ "src/lib/a.ts": both, "src/db/b.ts": "\nexport interface Size {}" });
    const text = "Size also stands in src/lib/a.ts";
    expect(namesTwice(files)).toEqual([{ file: "src/db/b.ts", line: 2, rule: "name twice", text }]);
    expect(namesTwice(files.slice(0, 1))).toEqual([]);
    const page = { path: "src/dashboard/c.tsx", text: both };
    expect(namesTwice([page, ...files.slice(1)])).toEqual([]);
    expect(namesTwice([page, ...files.slice(0, 1)])).toHaveLength(1);
  });

  test.each([
    ["what another file of the program imports", "export function f() {}", []],
    ["what nothing imports", "export function g() {}", ["unreached"]],
    ["what its own file uses", "export function g() {}\ng();", ["needless export"]],
    ["a type that its own file uses", "export type G = 1;\nlet g: G;", []],
    ["what tests import", "export function t() {}", ["unreached"]],
    ["what tests import and its own file uses", "export function t() {}\nt();", []],
    ["what a lazy import names", "export function lazy() {}", []],
  ])("exports: %s", (_, text, rules) => {
    const files = tree({
      "src/lib/a.ts": text,
      "src/lib/b.ts": `${use("a", "f")}\nconst { lazy } = await import("./a.ts");`,
      "src/lib/c.test.ts": use("a", "t"),
    });
    expect(unreachedExports(files).map(({ rule }) => rule)).toEqual(rules);
  });

  test("members of a class: what the compiler finds no use of in the program", async () => {
    using repository = temporaryRepository({
      "src/shape.ts": "export interface Named { label: string }",
      "src/a.ts": [
        'import type { Named } from "./shape.ts";',
        "export class A implements Named {",
        '  label = "a";',
        "  used() {}",
        "  tested() {}",
        "  get size() { return 1; }",
        "  private hidden() { this.hidden(); }",
        "}",
      ].join("\n"),
      "src/main.ts": 'import { A } from "./a.ts";\nnew A().used();\nnew Set().size;',
      "src/a.test.ts": 'import { A } from "./a.ts";\nnew A().tested();',
    });
    const found = await unreachedMembers(repository.root, sourcesOf(repository.root));
    expect(found.map(({ file, line, text }) => `${file}:${line}: ${text}`)).toEqual([
      "src/a.ts:5: nothing but tests uses A.tested",
      "src/a.ts:6: nothing but tests uses A.size",
    ]);
  });

  test("pages name files that are there, and pages of specs a test", () => {
    const files = tree({
      "specs/a.md": "See `src/lib` and `src/lib/a.ts`.\nProven by `a.test.ts` and a.spec.ts.",
      "specs/b.md": "See `src/old/`.\nProven by `old.test.ts`.",
      "specs/c.md": "It is so.",
      "docs/d.md": "It is so.",
      "src/lib/a.ts": "",
      "src/lib/a.test.ts": "",
      "specs/a.spec.ts": "",
    });
    const found = pageReferences(files).map(({ file, line, text }) => `${file}:${line}: ${text}`);
    expect(found).toEqual([
      "specs/b.md:1: src/old is not there",
      "specs/b.md:2: old.test.ts is not there",
      "specs/c.md:0: names no test that proves it",
    ]);
  });

  test("the mean of lines counts the program alone", () => {
    const files = tree({
      "src/lib/a.ts": "f();\n".repeat(10),
      "src/lib/b.ts": "f();\n".repeat(20),
      "src/lib/a.test.ts": "f();\n".repeat(90),
      "scripts/a.ts": "f();\n".repeat(90),
    });
    expect(meanLines(files)).toBe(15);
  });
});

/** A repository of its own, gone at the end of the block. */
function temporaryRepository(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "house-"));
  const all = { "tsconfig.json": '{"compilerOptions":{"target":"ESNext"}}', ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}
