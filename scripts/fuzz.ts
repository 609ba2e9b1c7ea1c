// Gives parsers what a random generator makes, and tells what they did that they must not:
// `npm run fuzz -- [PARSER] [CASES] [SEED]`. Without a parser all of them, 20,000 cases each;
// `engine` launches engines with damaged GGUF files. The same seeds make the same cases.
import { EngineHome } from "../src/testkit/engine.ts";
import { fuzzOnce } from "../src/testkit/fuzz/fuzz.ts";
import { FUZZED_PARSERS, fuzzParser } from "../src/testkit/fuzz/parsers.ts";

const CASES = 20_000;
const ENGINES = 200;
/** A case that takes longer is one that a client could hold up others with. */
const SLOW_MS = 1000;
const FAULTS_SHOWN = 5;

const [chosen, casesText, seedText = "1"] = process.argv.slice(2);
const known = [...Object.keys(FUZZED_PARSERS), "engine"];
const cases = Number(casesText ?? (chosen === "engine" ? ENGINES : CASES));
const first = Number(seedText);
const isChosen = chosen === undefined || known.includes(chosen);
if (!isChosen || !Number.isSafeInteger(cases) || !Number.isSafeInteger(first)) {
  process.stderr.write(`npm run fuzz -- [${known.join("|")}] [CASES] [SEED]\n`);
  process.exit(2);
}
if (chosen === "engine") await fuzzEngines();
else {
  const names = chosen === undefined ? Object.keys(FUZZED_PARSERS) : [chosen];
  const faults = names.map(fuzz).reduce((sum, one) => sum + one, 0);
  process.exit(faults === 0 ? 0 : 1);
}

/** How many cases of a parser went wrong. */
function fuzz(name: string): number {
  let faults = 0;
  const startMs = performance.now();
  for (let seed = first; seed < first + cases; seed += 1) {
    const beforeMs = performance.now();
    try {
      fuzzParser(name, seed);
      const ms = performance.now() - beforeMs;
      if (ms > SLOW_MS) throw new Error(`${name}, seed ${seed}: took ${Math.round(ms)} ms`);
    } catch (error) {
      faults += 1;
      if (faults <= FAULTS_SHOWN) console.error(error);
    }
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(`${name}: ${cases} cases, ${faults} faults, ${seconds} s\n`);
  return faults;
}

async function fuzzEngines(): Promise<void> {
  using home = new EngineHome();
  const ends: Record<string, number> = {};
  for (let seed = first; seed < first + cases; seed += 1) {
    const { what, outcome, message, ms } = await fuzzOnce(home, seed);
    ends[outcome] = (ends[outcome] ?? 0) + 1;
    process.stdout.write(`${seed} ${outcome} ${ms} ms: ${what}\n    ${message}\n`);
  }
  process.stdout.write(`${JSON.stringify(ends)}\n`);
}
