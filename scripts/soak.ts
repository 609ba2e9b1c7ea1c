// Long runs of a node with more models than its memory holds, Linux only:
// `npm run soak -- crowded|faults [--minutes N]`. Ends with 1 if something did not hold.
import { parseArgs } from "node:util";
import { crowded } from "./soak/crowded.ts";
import { faults } from "./soak/faults.ts";
import { report } from "./soak/verdict.ts";

const RUNS = {
  crowded: { run: crowded, minutes: "10" },
  faults: { run: faults, minutes: "30" },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string" }, seed: { type: "string", default: "1" } },
});
const [name = ""] = positionals;
if (name !== "crowded" && name !== "faults") {
  process.stderr.write(`npm run soak -- crowded|faults [--minutes N] [--seed N]
  crowded  twelve models, room for three, 40 clients: no wrong answer (10 minutes)
  faults   clients that leave, models that take turns, engines that are killed (30 minutes)
The executable in LLMLB_BIN is run; without it, the source.
`);
  process.exit(2);
}
const { run, minutes } = RUNS[name];
const options = { minutes: Number(values.minutes ?? minutes), seed: Number(values.seed) };
process.exit(report(await run(options)));
