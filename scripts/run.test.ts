import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "bun";

/** A checkout with nothing but the runner and a program that tells what happens to it. */
let root: string;

const PROGRAM = `
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => { console.log(signal); setTimeout(() => process.exit(7), 50); });
}
console.log(JSON.stringify({ pid: process.pid, cwd: process.cwd(), args: process.argv.slice(2) }));
if (process.argv[2] === "end") process.exit(3);
setInterval(() => undefined, 1000);
`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llmlb-run-"));
  for (const name of ["scripts", "src", "node_modules"]) mkdirSync(join(root, name));
  copyFileSync(join(import.meta.dir, "run.mjs"), join(root, "scripts/run.mjs"));
  writeFileSync(join(root, "scripts/native.ts"), "");
  writeFileSync(join(root, "scripts/dashboard.ts"), "");
  writeFileSync(join(root, "src/main.ts"), PROGRAM);
  writeFileSync(join(root, "package-lock.json"), "{}");
  // What npm leaves behind when it has installed this very lock file.
  writeFileSync(join(root, "node_modules/.package-lock.json"), "{}");
  writeFileSync(join(root, "package.json"), `{ "devDependencies": { "bun": "${version}" } }`);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function start(...args: string[]) {
  const argv = [process.execPath, join(root, "scripts/run.mjs"), "start", ...args];
  return Bun.spawn(argv, { cwd: join(root, "src"), stdio: ["ignore", "pipe", "pipe"] });
}

test("start passes on arguments, the folder and the exit code", async () => {
  const child = start("end", "--port", "0");
  const { args, cwd } = JSON.parse(await new Response(child.stdout).text());
  expect(args).toEqual(["end", "--port", "0"]);
  expect(cwd.endsWith("/src") || cwd.endsWith("\\src")).toBe(true);
  expect(await child.exited).toBe(3);
});

const signalled = test.skipIf(process.platform === "win32");

signalled.each(["SIGTERM", "SIGINT"] as const)(
  "%s reaches the program once, and its end is waited for",
  async (signal) => {
    const child = start();
    const reader = child.stdout.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    const { pid } = JSON.parse(first);
    child.kill(signal);
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      rest += new TextDecoder().decode(part.value);
    }
    expect(rest.trim()).toBe(signal);
    expect(await child.exited).toBe(7);
    expect(() => process.kill(pid, 0)).toThrow();
  },
);

signalled("the program ends when the shell that npm starts it in is ended", async () => {
  const script = `${JSON.stringify(process.execPath)} scripts/run.mjs start; exit 1`;
  const shell = Bun.spawn(["sh", "-c", script], {
    cwd: root,
    env: { ...process.env, npm_lifecycle_event: "start" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const reader = shell.stdout.getReader();
  await reader.read();
  shell.kill("SIGTERM");
  // The pipe ends when the last process that holds it has.
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    rest += new TextDecoder().decode(part.value);
  }
  expect(rest.trim()).toBe("SIGTERM");
});

test("an unknown command names the known ones", async () => {
  const argv = [process.execPath, join(root, "scripts/run.mjs"), "strat"];
  const child = Bun.spawn(argv, { stdio: ["ignore", "ignore", "pipe"] });
  expect(await new Response(child.stderr).text()).toContain("use one of start, test");
  expect(await child.exited).toBe(1);
});
