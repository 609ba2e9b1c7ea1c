import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { eventData } from "../../src/cli/chat/eventdata.ts";
import { TINY_FILE } from "../../src/testkit/engine.ts";
import { median } from "./rig/load.ts";
import { parametersOf, writeRandomModel } from "./rig/model.ts";
import { PROGRAM, type Server, startServer } from "./rig/server.ts";

/**
 * The time to the first token of a long conversation whose engine was ended in between, with its
 * prompt kept on disk and without: `npm run bench kv`, with `-- --help` for options. Two nodes take
 * turns; each has room for one model and is asked for another before every measurement.
 *
 * Where prompts are kept, each question is asked again, without and with an eviction: both must get
 * the same greedy answer. (An answer to a prompt that is computed anew may be another one: in other
 * batches llama.cpp adds in another order, and random weights decide by the last digit.)
 */

const NODES = [
  { label: "kept", disk: "20GiB" },
  { label: "not kept", disk: "0" },
];
const ANSWER_TOKENS = 16;
/** Of the sentence below, in the tiny model's words. */
const SENTENCE_TOKENS = 13;

interface Message {
  role: "user" | "assistant";
  content: string;
}

interface Answer {
  text: string;
  firstTokenMs: number;
  promptTokens: number;
  cachedTokens: number;
}

interface Subject {
  label: string;
  server: Server;
  messages: Message[];
  /** One a round. */
  answers: Answer[];
  /** Time to the first token of a short prompt after an eviction: the load alone. */
  loadMs: number[];
  /** Time to the first token of a question that is asked again at once. */
  againMs: number[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      tokens: { type: "string", default: "6000" },
      size: { type: "string", default: "300MB" },
      threads: { type: "string", default: String(availableParallelism()) },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--rounds <number>   evictions of each node (default 5)
--tokens <number>   length of the conversation, more or less (default 6000)
--size <size>       size of the model (default 300MB)
--threads <number>  threads that compute (default all)
`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const subjects: Subject[] = [];
  try {
    const model = join(folder, "long.gguf");
    writeRandomModel({ path: model, parameters: parametersOf(values.size, "q8_0"), type: "q8_0" });
    copyFileSync(TINY_FILE, join(folder, "bench.gguf"));
    const conversation = talkOf(Number(values.tokens));
    for (const { label, disk } of NODES) {
      const home = join(folder, label.replaceAll(" ", "-"));
      const server = await startNode(folder, { home, disk, threads: values.threads });
      const times = { answers: [], loadMs: [], againMs: [] };
      subjects.push({ label, server, messages: [...conversation], ...times });
    }
    await measure(subjects, Number(values.rounds));
    process.stdout.write(table(subjects));
  } finally {
    for (const { server } of subjects) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startNode(
  folder: string,
  { home, disk, threads }: { home: string; disk: string; threads: string },
) {
  const models = ["long", "bench"].flatMap((name) => ["-m", join(folder, `${name}.gguf`)]);
  return startServer(`node with --prompt-disk ${disk}`, (port) => [
    ...[...PROGRAM, "node", "--port", String(port)],
    ...["--home", home, ...models, "--models-max", "1", "--prompt-disk", disk],
    ...["--log-level", "warn", "--", "--ctx-size", "8192", "--threads", threads],
  ]);
}

async function measure(subjects: Subject[], rounds: number): Promise<void> {
  for (const subject of subjects) await converse(subject);
  for (let i = 0; i < rounds; i += 1) {
    for (const subject of subjects) {
      const { url } = subject.server;
      await evict(url);
      const short = await ask(url, [{ role: "user", content: "Hello" }]);
      subject.loadMs.push(short.firstTokenMs);
      await evict(url);
      const asked = [...subject.messages];
      subject.answers.push(await converse(subject));
      if (subject.label === "kept") await checkAgain(subject, asked);
    }
  }
}

/** Asks a question again, and once more after an eviction. Throws if the answers differ. */
async function checkAgain({ server: { url }, againMs }: Subject, asked: Message[]): Promise<void> {
  const loaded = await ask(url, asked);
  againMs.push(loaded.firstTokenMs);
  await evict(url);
  const restored = await ask(url, asked);
  if (restored.text === loaded.text) return;
  throw new Error(`the answers differ: ${loaded.text} with the engine, ${restored.text} after it`);
}

/** Asks, and has the answer and the next question in the conversation from then on. */
async function converse({ server, messages }: Subject): Promise<Answer> {
  const answer = await ask(server.url, messages);
  messages.push(
    { role: "assistant", content: answer.text },
    { role: "user", content: "And then?" },
  );
  return answer;
}

/** Loads the other model, for which there is room only without the one under measurement. */
async function evict(url: string): Promise<void> {
  await ask(url, [{ role: "user", content: "Hi" }], "bench");
}

async function ask(url: string, messages: Message[], model = "long"): Promise<Answer> {
  const startMs = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...{ model, messages, temperature: 0, max_tokens: ANSWER_TOKENS, ignore_eos: true },
      ...{ stream: true, stream_options: { include_usage: true } },
    }),
  });
  if (!response.ok || response.body === null) throw new Error(await response.text());
  let firstTokenMs = 0;
  let text = "";
  let usage = "";
  for await (const data of eventData(response.body)) {
    const content = /"content":("(?:[^"\\]|\\.)+")/.exec(data)?.[1];
    if (content !== undefined && firstTokenMs === 0) firstTokenMs = performance.now() - startMs;
    if (content !== undefined) text += JSON.parse(content);
    if (data.includes('"usage"')) usage = data;
  }
  const count = (name: string) => Number(new RegExp(`"${name}":(\\d+)`).exec(usage)?.[1]);
  const [promptTokens, cachedTokens] = [count("prompt_tokens"), count("cached_tokens")];
  return { text, firstTokenMs, promptTokens, cachedTokens };
}

function talkOf(tokens: number): Message[] {
  const sentences = Math.round(tokens / SENTENCE_TOKENS);
  const content = Array.from({ length: sentences }, (_, i) => `Number ${i} is here today.`);
  return [{ role: "user", content: content.join(" ") }];
}

function table(subjects: Subject[]): string {
  const ms = (values: number[]) => (values.length === 0 ? "" : `${median(values).toFixed(0)} ms`);
  const rows = subjects.map(({ label, answers, loadMs, againMs }) => {
    const count = (of: (answer: Answer) => number) => median(answers.map(of)).toFixed(0);
    const prompt = `${count((a) => a.promptTokens)}, ${count((a) => a.cachedTokens)} of them read`;
    const first = ms(answers.map(({ firstTokenMs }) => firstTokenMs));
    return `| ${[label, prompt, first, ms(loadMs), ms(againMs)].join(" | ")} |`;
  });
  const [kept, computed] = subjects.map(({ answers }) => answers.map((a) => a.firstTokenMs));
  const ratios = kept?.map((time, i) => (computed?.[i] ?? Number.NaN) / time) ?? [];
  return `| prompts | tokens | first token | of a short prompt | asked again at once |
|---|---|---|---|---|
${rows.join("\n")}

${ratios.length} rounds each; the first token comes ${median(ratios).toFixed(1)} times sooner.
`;
}

await main();
