// Long runs of nodes in trouble, Linux only: `npm run soak -- crowded|faults|continuation`.
// Ends with 1 if something did not hold.
import { parseArgs } from "node:util";
import { continuation } from "./soak/continuation.ts";
import { crowded } from "./soak/crowded.ts";
import { faults } from "./soak/faults.ts";
import { report } from "./soak/verdict.ts";

const RUNS = {
  crowded: { run: crowded, minutes: "10" },
  faults: { run: faults, minutes: "30" },
  continuation: { run: continuation, minutes: "8" },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string" },
    seed: { type: "string", default: "1" },
    kills: { type: "string" },
    clients: { type: "string" },
  },
});
const [name = ""] = positionals;
if (name !== "crowded" && name !== "faults" && name !== "continuation") {
  process.stderr.write(`npm run soak -- crowded|faults|continuation [--minutes N] [--seed N]
  crowded  twelve models, room for three, 40 clients: no wrong answer (10 minutes)
  faults   clients that leave, models that take turns, engines that are killed (30 minutes)
  continuation  three nodes that are killed again and again (--kills 200) while --clients 32 read
           streams: each is what it is without a storm (8 minutes at most)
The executable in LLMLB_BIN is run; without it, the source.
`);
  process.exit(2);
}
const { run, minutes } = RUNS[name];
const { kills, clients } = values;
const options = {
  ...{ minutes: Number(values.minutes ?? minutes), seed: Number(values.seed) },
  ...(kills === undefined ? {} : { kills: Number(kills) }),
  ...(clients === undefined ? {} : { clients: Number(clients) }),
};
process.exit(report(await run(options)));
