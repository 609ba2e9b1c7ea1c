import { within } from "./eventually.ts";
import { mulberry32 } from "./random.ts";

/** A server that streams come from, and that is killed and started again at the same address. */
export interface StormServer {
  readonly url: string;
  /** Fails in one of its ways, and settles when it serves again. */
  strike(random: number): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** How the streams of a balancer that broke ended, by the metric's `outcome`. */
export async function brokenStreams(url: string): Promise<Record<string, number>> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const all = metrics.matchAll(/^llmlb_stream_continuations_total\{outcome="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...all].map(([, outcome, count]) => [outcome, Number(count)]));
}

/** Asks for a stream, and gives what is compared of it. */
export type StormAsk = (prompt: string) => Promise<unknown>;

export interface StormOptions {
  servers: readonly StormServer[];
  /** By the name of the API; the clients take turns. */
  asks: Readonly<Record<string, StormAsk>>;
  prompts: readonly string[];
  clients: number;
  /** So many servers are killed, as far as there is time. */
  kills: number;
  /** So many answers are given between two kills, from none to twice as many. */
  answersPerKill: number;
  /** Longest time of the storm. Default: none. */
  limitMs?: number;
  /** The same kills for the same number. */
  seed: number;
}

export interface StormReport {
  kills: number;
  /** Whole answers that are what they are without a storm. */
  right: number;
  /** Requests whose answer did not begin. */
  refused: number;
  /** All others. */
  broken: { api: string; prompt: string; told: unknown; expected: unknown }[];
}

/**
 * What a client is told where no server can be had, or each one that had its request died before
 * the answer began. It may be told the same of a stream that broke: the balancer counts those.
 */
const REFUSED =
  /cannot be used now|could not be reached or broke off|is shutting down|ended unexpectedly/;
/** Whoever was refused asks again after this time. */
const PAUSE_MS = 300;
/** Further time before a kill, up to this. */
const GAP_MS_MAX = 300;
/** One kill in so many comes before all servers are back. */
const HASTE = 4;
/** An answer takes at most this long, whatever breaks on the way. */
const ANSWER_MS_MAX = 150_000;

/**
 * Clients that ask for streams one after the other while the servers behind their balancer are
 * killed. Each answer is compared with the one that was given before the first kill.
 */
export async function storm(options: StormOptions): Promise<StormReport> {
  const { asks, prompts, clients, seed } = options;
  const expected = await calmAnswers(options);
  const report: StormReport = { kills: 0, right: 0, refused: 0, broken: [] };
  const apis = Object.keys(asks);
  let isOver = false;
  const client = async (number: number) => {
    const random = mulberry32(seed * 1000 + number);
    const api = apis[number % apis.length] ?? "";
    while (!isOver) {
      const prompt = prompts[random() % prompts.length] ?? "";
      const asked = Promise.resolve(asks[api]?.(prompt));
      // An error instead of an answer that failed or does not come.
      const told = await within(ANSWER_MS_MAX, asked).catch((error: unknown) => error);
      const answer = expected.get(`${api} ${prompt}`);
      if (Bun.deepEquals(told, answer)) report.right += 1;
      else if (REFUSED.test(Bun.inspect(told))) {
        report.refused += 1;
        await Bun.sleep(PAUSE_MS);
      } else report.broken.push({ api, prompt, told, expected: answer });
    }
  };
  const all = Array.from({ length: clients }, (_, number) => client(number));
  await strikeAll(options, report).finally(() => {
    isOver = true;
  });
  await Promise.all(all);
  return report;
}

async function calmAnswers({ asks, prompts }: StormOptions): Promise<Map<string, unknown>> {
  const answers = new Map<string, unknown>();
  const askAll = async ([api, ask]: [string, StormAsk]) => {
    for (const prompt of prompts) answers.set(`${api} ${prompt}`, await ask(prompt));
  };
  await Promise.all(Object.entries(asks).map(askAll));
  return answers;
}

/**
 * One server is killed after the other: as a rule when the one before is back, now and then before
 * that, so that there may be none. How fast it goes is up to the machine.
 */
async function strikeAll(options: StormOptions, report: StormReport): Promise<void> {
  const { servers, kills, answersPerKill, limitMs = Number.POSITIVE_INFINITY, seed } = options;
  const random = mulberry32(seed);
  const endMs = performance.now() + limitMs;
  const down = new Map<StormServer, Promise<void>>();
  const isLate = () => performance.now() > endMs;
  while (report.kills < kills && !isLate()) {
    const answers = report.right + (random() % (2 * answersPerKill + 1));
    while (report.right < answers && !isLate()) await Bun.sleep(20);
    await Bun.sleep(random() % GAP_MS_MAX);
    if (random() % HASTE !== 0) await Promise.all(down.values());
    const up = servers.filter((server) => !down.has(server));
    const server = up[random() % up.length];
    if (server === undefined) await Promise.race(down.values());
    if (server === undefined) continue;
    report.kills += 1;
    down.set(
      server,
      server.strike(random()).finally(() => down.delete(server)),
    );
  }
  await Promise.all(down.values());
}
