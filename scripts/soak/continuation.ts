import { fileURLToPath } from "node:url";
import { Program } from "../../src/testkit/program.ts";
import { brokenStreams, type StormReport, storm } from "../../src/testkit/storm.ts";
import { STORIES, stormClients } from "../../src/testkit/stormclients.ts";
import { stormNode } from "../../src/testkit/stormservers.ts";
import { atMost, type Check } from "./verdict.ts";

export interface ContinuationOptions {
  /** Longest time of the storm. */
  minutes: number;
  /** Default: 200. */
  kills?: number;
  /** Default: 32. */
  clients?: number;
  /** The same kills for the same number. Default: 1. */
  seed?: number;
}

const GGUF = new URL("../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url);
const NODES = 3;
const ANSWERS_PER_KILL = 4;

/**
 * Three nodes that are killed at random moments while clients of all APIs read streams: every
 * answer is what it is without a storm, to the byte and the token.
 */
export async function continuation(options: ContinuationOptions): Promise<Check[]> {
  const { minutes, kills = 200, clients = 32, seed = 1 } = options;
  const gguf = fileURLToPath(GGUF);
  const servers = await Promise.all(Array.from({ length: NODES }, () => stormNode(gguf)));
  const tookMs: number[] = [];
  const hears = ({ msg, took_ms: ms }: Record<string, unknown>) => {
    if (msg === "stream.continued" && typeof ms === "number") tookMs.push(ms);
  };
  const endpoints = servers.flatMap(({ url }, index) => ["--endpoint", `n${index}=${url}`]);
  const args = [...endpoints, "--health-interval", "500ms"];
  const balancer = await Program.start({ mode: "balancer", args, hears });
  try {
    const rules = {
      clients,
      kills,
      seed,
      answersPerKill: ANSWERS_PER_KILL,
      limitMs: minutes * 60_000,
    };
    const asks = stormClients(balancer.url);
    const report = await storm({ servers, asks, prompts: STORIES, ...rules });
    print(report, tookMs);
    const { failed = 0, impossible = 0 } = await brokenStreams(balancer.url);
    return [
      atMost("answers that are not what they are without a storm", report.broken.length, 0),
      atMost("streams that ended where they broke", failed + impossible, 0),
      { what: "streams went on", seen: String(tookMs.length), holds: tookMs.length > 0 },
    ];
  } finally {
    await balancer.stop();
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function print({ kills, right, refused, broken }: StormReport, tookMs: number[]): void {
  for (const one of broken.slice(0, 5)) console.error(Bun.inspect(one, { depth: 4 }));
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => `${sorted[Math.floor(share * (sorted.length - 1))] ?? 0} ms`;
  process.stdout.write(
    `${kills} kills; ${right} answers right, ${broken.length} not, ${refused} requests whose \
answer did not begin
${tookMs.length} times a stream went on, ${at(0.5)} after its break (p50), ${at(0.95)} (p95), \
${at(1)} at most
`,
  );
}
