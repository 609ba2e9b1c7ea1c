import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const BIN = join(ROOT, "node_modules");
const bun = process.execPath;

/** The gate, in the order of how fast a step tells what is wrong. */
const STEPS: Record<string, string[]> = {
  lint: [bun, join(BIN, "@biomejs/biome/bin/biome"), "check", "--error-on-warnings"],
  types: [bun, join(BIN, "typescript/bin/tsc")],
  house: [bun, "test", "./scripts"],
  unit: [bun, "test", "./src"],
  specs: [bun, "test", "./specs"],
};

interface Result {
  name: string;
  passed: boolean;
  durationMs: number;
}

/** Runs one step with its output shown as it comes. */
async function run(name: string, argv: string[]): Promise<Result> {
  process.stdout.write(`\n--- ${name}\n`);
  const startMs = performance.now();
  const child = Bun.spawn(argv, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const passed = (await child.exited) === 0;
  return { name, passed, durationMs: performance.now() - startMs };
}

function summary({ name, passed, durationMs }: Result): string {
  const seconds = (durationMs / 1000).toFixed(1).padStart(7);
  return `${name.padEnd(8)}${passed ? "passed" : "FAILED"}${seconds} s`;
}

/** `npm run check -- lint types` runs only these steps; all of them run otherwise. */
async function main(wanted: string[]): Promise<number> {
  const unknown = wanted.find((name) => !Object.hasOwn(STEPS, name));
  if (unknown !== undefined) {
    const known = Object.keys(STEPS).join(", ");
    process.stderr.write(`llmlb: unknown step "${unknown}": use some of ${known}\n`);
    return 1;
  }
  const results: Result[] = [];
  for (const [name, argv] of Object.entries(STEPS)) {
    if (wanted.length === 0 || wanted.includes(name)) results.push(await run(name, argv));
  }
  process.stdout.write(`\n${results.map(summary).join("\n")}\n`);
  return results.every((result) => result.passed) ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
