import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { builtLlamaServer } from "../scripts/bench/rig/reference.ts";
import { TINY } from "../src/testkit/clients.ts";
import { killIfThere } from "../src/testkit/processes.ts";
import { Program } from "../src/testkit/program.ts";
import { brokenStreams, type StormServer, storm } from "../src/testkit/storm.ts";
import { askRaw, STORIES, stormClients } from "../src/testkit/stormclients.ts";
import { HANG_LIMIT, stormLlamaServer, stormNode } from "../src/testkit/stormservers.ts";

setDefaultTimeout(180_000);

const GGUF = fileURLToPath(new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url));
const prompts = STORIES.slice(0, 3);

/** A balancer in front of servers; all end with it. */
async function inFrontOf(starting: Promise<StormServer>[]) {
  const servers = await Promise.all(starting);
  const endpoints = servers.flatMap(({ url }, index) => ["--endpoint", `e${index}=${url}`]);
  const limits = ["--health-interval", "500ms", "--idle-timeout", HANG_LIMIT];
  const args = [...endpoints, ...limits, "--strategy", "round-robin"];
  const { url, stop } = await startBalancer(args);
  return {
    ...{ servers, url },
    async [Symbol.asyncDispose]() {
      await stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function startBalancer(args: string[]) {
  const balancer = await Program.start({ mode: "balancer", args });
  return { url: balancer.url, stop: () => balancer.stop() };
}

async function expectNoBreak(url: string): Promise<void> {
  const outcomes = await brokenStreams(url);
  expect(outcomes).toMatchObject({ failed: 0, impossible: 0 });
  expect(outcomes.continued).toBeGreaterThan(0);
}

describe("streams are told to their end by others, byte for byte", () => {
  test("when nodes and engines are killed", async () => {
    await using fleet = await inFrontOf([1, 2, 3].map(() => stormNode(GGUF)));
    const { servers, url } = fleet;
    const rules = { prompts, clients: 8, kills: 10, answersPerKill: 1, seed: 7 };
    const { right, broken } = await storm({ servers, asks: stormClients(url), ...rules });
    expect(broken).toEqual([]);
    expect(right).toBeGreaterThan(0);
    await expectNoBreak(url);
  });

  test("by a machine alone, when its engine or its node is killed", async () => {
    const greedy = ["--", "--temp", "0", "--threads", "1"];
    const args = ["--model", `${TINY}=${GGUF}`, "--health-interval", "500ms", ...greedy];
    const program = await Program.start({ args });
    const [prompt = ""] = prompts;
    const expected = await askRaw(program.url, prompt);
    for (const victim of [() => program.enginePid(TINY), () => program.nodePid]) {
      const killAt = (count: number) => count === 20 && killIfThere(victim());
      expect(await askRaw(program.url, prompt, killAt)).toEqual(expected);
    }
    const { continued, failed } = await brokenStreams(program.url);
    expect({ continued, failed }).toEqual({ continued: 2, failed: 0 });
    await program.stop();
  });

  const program = builtLlamaServer();
  // `npm run bench engine` builds it.
  test.skipIf(program === undefined)("when llama-servers are killed or hang", async () => {
    const start = () => stormLlamaServer(program ?? "", GGUF);
    await using fleet = await inFrontOf([start(), start()]);
    const { servers, url } = fleet;
    const rules = { prompts, clients: 5, kills: 6, answersPerKill: 1, seed: 3 };
    // OpenAI's client does not read its streams of responses, which lack `output_index`.
    const { responses: _, ...asks } = stormClients(url);
    const { right, broken } = await storm({ servers, asks, ...rules });
    expect(broken).toEqual([]);
    expect(right).toBeGreaterThan(0);
    await expectNoBreak(url);
  });
});
