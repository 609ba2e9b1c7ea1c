import { expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../testkit/command.ts";
import { eventually } from "../testkit/eventually.ts";
import { LineOutput } from "./lineoutput.ts";

const lossLine = (dropped: number) => `dropped ${dropped}\n`;

test("lines come in order, and all of them", async () => {
  using home = temporaryHome();
  const path = join(home.path, "a");
  const descriptor = openSync(path, "a");
  let bytes = 0;
  const output = new LineOutput(
    { descriptor: () => descriptor, wrote: (more) => (bytes += more) },
    lossLine,
  );
  const long = "漢".repeat(30_000);
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `line ${i}${i % 8000 === 7 ? long : " 漢"}\n`,
  );
  for (const line of lines) output.write(line);
  const expected = lines.join("");
  await eventually(() => bytes === Buffer.byteLength(expected) || undefined);
  expect(readFileSync(path, "utf8")).toBe(expected);
});

test("what finds no room is dropped, and told once there is some", async () => {
  using home = temporaryHome();
  const path = join(home.path, "a");
  let descriptor: number | undefined;
  const output = new LineOutput({ descriptor: () => descriptor }, lossLine);
  output.write("a\n");
  output.write("b\nc\n");
  descriptor = openSync(path, "a");
  output.write("d\n");
  await eventually(() => readFileSync(path, "utf8") === "dropped 3\nd\n" || undefined);
});

const LOG = join(import.meta.dir, "log.ts");

/** A process that logs far more than a pipe holds, and then says on stdout that it still lives. */
const NOISY = `
  const { createLogger, flushLog } = await import(${JSON.stringify(LOG)});
  const log = createLogger({ level: "info", readable: process.argv[1] === "readable" });
  for (let i = 0; i < 8000; i += 1) log.info({ i, text: "x".repeat(100) }, "test.line");
  setTimeout(() => { console.log("alive"); process.exit(0); }, 100);`;

test.each(["readable", "json"])(
  "a full stderr (%s) holds up nothing, not the end either",
  async (form) => {
    // The pipe is held open by a process that does not read it.
    const script = `"$0" -e "$1" ${form} 2> >(sleep 10)`;
    const child = Bun.spawn(["bash", "-c", script, process.execPath, NOISY], { stdout: "pipe" });
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toBe("alive\n");
    child.kill("SIGKILL");
  },
);

test("a closed stderr ends nothing", async () => {
  const script = `"$0" -e "$1" json 2>&-`;
  const child = Bun.spawn(["bash", "-c", script, process.execPath, NOISY], { stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("alive\n");
  expect(await child.exited).toBe(0);
});

test("the last lines before the end are written", async () => {
  const end = "await flushLog(log); process.exit(0);";
  const code = NOISY.replace("8000", "3").replace(/setTimeout.*/, end);
  const child = Bun.spawn([process.execPath, "-e", code, "json"], { stderr: "pipe" });
  const text = await new Response(child.stderr).text();
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).i),
  ).toEqual([0, 1, 2]);
});
