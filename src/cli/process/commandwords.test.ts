import { expect, test } from "bun:test";
import { inCommands } from "./commandwords.ts";

test("a route to look at is told as the command that shows the same", () => {
  expect(inCommands("No such token: see GET /api/enrolment-tokens for those there are.")).toBe(
    "No such token: see llmlb endpoint tokens for those there are.",
  );
  expect(inCommands("Try again, or see GET /ready.")).toBe("Try again, or see llmlb status.");
  expect(inCommands("See GET /api/models.")).toBe("See llmlb model list.");
});

test("what is no advice, or has no command, stays", () => {
  for (const text of ["GET /v1/models answered no JSON.", "See GET /api/models/x/progress."]) {
    expect(inCommands(text)).toBe(text);
  }
});

test("a server's messages name routes only as advice that has a command", async () => {
  const glob = new Bun.Glob("{auth,balancer,http,node,registry,storage}/**/*.ts");
  const found: string[] = [];
  for await (const name of glob.scan({ cwd: `${import.meta.dir}/../..` })) {
    if (name.endsWith(".test.ts")) continue;
    const text = await Bun.file(`${import.meta.dir}/../../${name}`).text();
    // Comments name them freely, and so may tables of routes and what tells of other servers.
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/ .*/g, "").replaceAll("\\\n", "");
    for (const [line] of code.matchAll(/.*(?:GET|POST|PUT|PATCH|DELETE) \/[a-z].*/g)) {
      if (ALLOWED.some((pattern) => pattern.test(`${name}: ${line}`))) continue;
      if (/(GET|POST|PUT|PATCH|DELETE) \/[a-z]/.test(inCommands(line)))
        found.push(`${name}: ${line}`);
    }
  }
  expect(found).toEqual([]);
});

const ALLOWED = [
  /^auth\/(accesstable|audit\/auditrule)\.ts/,
  /^balancer\/openapi\/operations(\/|\.ts)/,
  /^balancer\/health\/check\.ts: .*GET \/v1\/models answered/,
  // For clients of llama-server's own routes, which no command asks.
  /^node\/nativeroutes\.ts/,
  // For Ollama's clients, with the command beside it.
  /^balancer\/ollama\/routes\.ts: .*llmlb model\\` or POST \/api\/models\/register/,
];
