import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { meanLines } from "./house/graph.ts";
import { breachesUnder, sourcesOf } from "./house/tree.ts";

const { values } = parseArgs({ options: { root: { type: "string" } } });
const root = values.root === undefined ? join(import.meta.dir, "..") : resolve(values.root);
const breaches = await breachesUnder(root);
for (const { file, line, rule, text } of breaches) {
  process.stdout.write(`${file}:${line}: ${rule}: ${text}\n`);
}
const mean = meanLines(sourcesOf(root)).toFixed(0);
process.stdout.write(`${breaches.length} breaches; ${mean} lines a file of the program\n`);
process.exit(breaches.length === 0 ? 0 : 1);
