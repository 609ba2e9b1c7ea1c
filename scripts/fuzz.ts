// Launches engines with damaged GGUF files and tells how each of them ended:
// `bun scripts/fuzz.ts [--count 200] [--seed 1]`. The same seeds make the same files.
import { parseArgs } from "node:util";
import { EngineHome } from "../src/testkit/engine.ts";
import { fuzzOnce } from "../src/testkit/fuzz/fuzz.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
  },
});
using home = new EngineHome();
const first = Number(values.seed);
const ends: Record<string, number> = {};
for (let seed = first; seed < first + Number(values.count); seed += 1) {
  const { what, outcome, message, ms } = await fuzzOnce(home, seed);
  ends[outcome] = (ends[outcome] ?? 0) + 1;
  process.stdout.write(`${seed} ${outcome} ${ms} ms: ${what}\n    ${message}\n`);
}
process.stdout.write(`${JSON.stringify(ends)}\n`);
