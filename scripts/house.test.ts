import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { breachesOf, importsOf } from "./house/rules.ts";

const ROOT = join(import.meta.dir, "..");
/** Written by tools, or data. */
const NOT_OURS = /^(package-lock\.json|fixtures\/|LICENSE)|\.(gguf|png|jpg|ico|woff2?|wasm)$/;
const SIZE_BYTES_MAX = 2 * 1024 * 1024;

/** Every file of the repository that is tracked or could be. */
function files(): string[] {
  const git = Bun.spawnSync(["git", "ls-files", "-co", "--exclude-standard"], { cwd: ROOT });
  const listed = git.success ? git.stdout.toString().split("\n") : [...unversioned()];
  return listed.filter((path) => {
    if (path === "" || NOT_OURS.test(path)) return false;
    const place = join(ROOT, path);
    return existsSync(place) && statSync(place).size < SIZE_BYTES_MAX;
  });
}

/** The same outside of a git checkout, e.g. in an unpacked archive. */
function* unversioned(): Iterable<string> {
  yield* new Bun.Glob("{src,scripts,specs,docs,native}/**/*").scanSync({ cwd: ROOT });
  yield* new Bun.Glob("*.{md,json,toml}").scanSync({ cwd: ROOT });
}

test("the repository keeps the rules of the house", () => {
  const breaches = files().flatMap((path) =>
    breachesOf({ path, text: readFileSync(join(ROOT, path), "utf8") }),
  );
  const lines = breaches.map((b) => `${b.file}:${b.line}: ${b.rule}: ${b.text}`);
  expect(lines).toEqual([]);
});

function rulesOf(path: string, text: string): string[] {
  return breachesOf({ path, text }).map((breach) => breach.rule);
}

describe("the rule about", () => {
  const body = (lines: number) => Array.from({ length: lines }, (_, i) => `  f(${i});`).join("\n");

  test("sizes: 400 lines and 100 columns pass, one more does not", () => {
    expect(rulesOf("src/lib/a.ts", "f();\n".repeat(400))).toEqual([]);
    expect(rulesOf("src/lib/a.ts", "f();\n".repeat(401))).toEqual(["file length"]);
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
    ["src/dashboard/a.ts", "../http/app.ts"],
    ["src/http/a.ts", "../elsewhere/b.ts"],
    ["src/lib/a.ts", "./b"],
    ["src/lib/a.ts", "./b.js"],
    ["src/node/a.ts", "bun:ffi"],
    ["src/auth/a.ts", "bun:sqlite"],
    ["src/db/state/a.ts", "bun:sqlite"],
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
    ["src/engine/a.ts", "bun:ffi"],
    ["src/db/engine/a.ts", "bun:sqlite"],
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
