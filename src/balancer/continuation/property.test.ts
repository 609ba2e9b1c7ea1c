import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { answerIn } from "../../testkit/brokenstream/answer.ts";
import { BrokenStreams, type Trial, type TrialCut } from "../../testkit/brokenstream/trial.ts";
import { PROMPT, type Talk, type TalkerKind } from "../../testkit/servers/talk.ts";
import type { RouteName } from "../../wire/route.ts";

setDefaultTimeout(120_000);

const streams = new BrokenStreams();
const CHATS = ["responses", "anthropic_messages", "ollama_chat", "ollama_generate"] as const;
const ROUTES = ["chat", "chat", "generate", ...CHATS] as const satisfies RouteName[];
const KINDS: TalkerKind[] = ["llama_server", "vllm", "sglang", "ollama", "openai_compatible"];

/** A text in pieces that end anywhere, also between the halves of a character. */
const pieces = (max: number) =>
  fc
    .tuple(
      fc.array(fc.oneof(fc.string({ unit: "grapheme", minLength: 1 }), space, word), {
        maxLength: max,
      }),
      fc.array(fc.nat(80)),
    )
    .map(([words, places]) => {
      const text = words.join("");
      const ends = [...new Set([...places, text.length])].sort((a, b) => a - b);
      return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end)).filter((one) => one !== "");
    });
const space = fc.constantFrom(" ", "\n", "\n\n", "\t", "  ");
const word = fc.constantFrom(
  "END",
  "E",
  "data: ",
  '"',
  "\\",
  '{"error":{}}',
  "👩‍👩‍👧",
  "é",
  "<think>",
);

interface Sample {
  talk: Talk & { tokens: string[] };
  route: (typeof ROUTES)[number];
  stops: readonly string[];
  limit: number | undefined;
  asks: { logprobs: boolean; usage: boolean; n: number };
  cuts: TrialCut[];
  pieceBytes: number;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  talk: fc.record({
    kind: fc.constantFrom(...KINDS),
    tokens: pieces(8),
    thoughts: fc.oneof(fc.constant([]), pieces(3)),
    others: fc.tuple(pieces(4), pieces(4)).map((both) => both),
    trims: fc.boolean(),
    speaksAll: fc.boolean(),
    perEvent: fc.constantFrom(1, 1, 1, 2, 3),
    hasEmpty: fc.boolean(),
    joinsUsage: fc.boolean(),
    lineEnd: fc.constantFrom("\n", "\n", "\r\n"),
    calls: fc.constantFrom(undefined, undefined, "tell"),
  }) as fc.Arbitrary<Sample["talk"]>,
  route: fc.constantFrom(...ROUTES),
  stops: fc.oneof(
    fc.constant([]),
    fc.array(fc.constantFrom("END", "\n\n", " E", "ND"), { maxLength: 2 }),
  ),
  limit: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  asks: fc.record({
    logprobs: fc.boolean(),
    usage: fc.boolean(),
    n: fc.constantFrom(1, 1, 1, 2, 3),
  }),
  cuts: fc.array(
    fc.record({
      at: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      how: fc.constantFrom("break", "break", "error", "end"),
    }) as fc.Arbitrary<TrialCut>,
    { minLength: 1, maxLength: 2 },
  ),
  pieceBytes: fc.constantFrom(1_000_000, 100, 7, 1),
});

const messages = [{ role: "user", content: "Tell me a story" }];

/** The request of a sample, in the words of its API. */
function trialOf(given: Sample): Trial {
  const { route, stops, asks, cuts, pieceBytes } = given;
  const { calls, ...talk } = given.talk;
  // Others have calls whose arguments are no JSON for an error, or say them at once.
  const saysCalls = route === "chat" || (route === "responses" && !talk.speaksAll);
  const hasCalls = calls !== undefined && saysCalls;
  // Who says part of a token once more has fewer left than were asked for.
  const isExact = talk.kind === "llama_server" && talk.tokens.every((one) => one.isWellFormed());
  const limit = isExact ? given.limit : undefined;
  const stop = stops.length > 0 ? { stop: stops } : {};
  const tools = hasCalls ? { tools: [TOOL] } : {};
  const bodies: Record<Sample["route"], object> = {
    chat: { messages, ...plain(), ...stop, ...tools, ...max("max_tokens") },
    generate: { prompt: PROMPT, ...plain(), ...stop, ...max("max_tokens") },
    responses: { input: "Tell me a story", temperature: 0, ...max("max_output_tokens") },
    anthropic_messages: {
      messages,
      temperature: 0,
      max_tokens: limit ?? 100,
      ...(stops.length > 0 ? { stop_sequences: stops } : {}),
    },
    ollama_chat: { messages, options: { temperature: 0, ...stop, ...max("num_predict") } },
    ollama_generate: {
      prompt: "Tell",
      options: { temperature: 0, ...stop, ...max("num_predict") },
    },
  };
  function max(name: string) {
    return limit === undefined ? {} : { [name]: limit };
  }
  function plain() {
    const usage = asks.usage ? { stream_options: { include_usage: true } } : {};
    return {
      temperature: 0,
      ...usage,
      ...(asks.logprobs ? { logprobs: true } : {}),
      ...(asks.n > 1 ? { n: asks.n } : {}),
    };
  }
  if (talk.kind !== "vllm" && talk.kind !== "ollama") talk.trims = false;
  return {
    talk: hasCalls ? { ...talk, calls } : talk,
    route,
    body: bodies[route] as Trial["body"],
    cuts,
    pieceBytes,
  };
}

const TOOL = { type: "function", function: { name: "tell", parameters: { type: "object" } } };

test("a stream that is cut anywhere, and continued, is what it is uncut", async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (given) => {
      const trial = trialOf(given);
      const whole = await streams.run({ ...trial, cuts: [] });
      const cut = await streams.run(trial);
      for (const request of cut.requests) expect(JSON.stringify(request)).not.toMatch(LONE);
      const [answer, got] = [whole, cut].map(({ text }) => {
        const told = answerIn(trial.route, text);
        return tellsUsage(given, trial) ? told : withoutUsage(told);
      });
      const isRefused = trial.cuts.length > 1 && FAILED.test(JSON.stringify(got));
      if (!isRefused) expect(got).toEqual(answer);
    }),
    { numRuns: Number(process.env.RUNS ?? 300), seed: Number(process.env.SEED ?? 7) },
  );
});

/** Whether what was used is certain: each token has its event, and none is told in two parts. */
function tellsUsage({ talk, stops, cuts }: Sample, { body }: Trial): boolean {
  const isPlain = talk.calls === undefined && talk.perEvent === 1 && body.n === undefined;
  const isBroken = cuts.every(({ how }) => how === "break") && stops.length === 0;
  const isWhole = [...talk.tokens, ...(talk.thoughts ?? [])].every((one) => one.isWellFormed());
  return talk.kind === "llama_server" && isPlain && isBroken && isWhole;
}

const FAILED = /"error":["{]/;

/** As JSON writes half of a character. */
const LONE = /\\ud[89a-f]/;

const USAGE = new Set(["usage", "eval_count", "prompt_eval_count"]);

function withoutUsage(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (key, value) => (USAGE.has(key) ? undefined : value)));
}
