// How a node compares with llama-server, built from the same sources and libraries, with the same
// model and arguments: `npm run bench engine`, with `-- --help` for options.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median, type StreamRound, spread, streamRound } from "./rig/load.ts";
import { parametersOf, writeRandomModel } from "./rig/model.ts";
import { cpuSeconds } from "./rig/process.ts";
import { buildLlamaServer } from "./rig/reference.ts";
import { PROGRAM, type Server, startServer } from "./rig/server.ts";

const TINY = join(import.meta.dir, "../../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");
const CLIENTS = "1,4,16,64";
/** Both servers get these; a slot for each client, so that none waits for another. */
const ARGUMENTS = ["--ctx-size", "32768", "--parallel", "64"];
/** With so many clients the first byte must not come later than llama-server's. */
const FIRST_BYTE_CLIENTS_MIN = 16;

interface Subject {
  label: string;
  model: string;
  /** Length of each answer, and how many answers each client asks for, by the number of clients. */
  maxTokens(clients: number): number;
  requests(clients: number): number;
  /** The least ratio of tokens per second that is aimed at. */
  ratioMin: number;
}

/** A number of clients on a model: the rounds of the node, and of llama-server beside them. */
interface Row {
  subject: Subject;
  clients: number;
  pairs: { node: Measurement; reference: Measurement }[];
}

interface Measurement extends StreamRound {
  /** Processor time of the server for each token. */
  cpuMsPerToken: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "18" },
      clients: { type: "string", default: CLIENTS },
      threads: { type: "string", default: String(Math.max(1, availableParallelism() >> 1)) },
      size: { type: "string", default: "300MB" },
      only: { type: "string" },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--rounds <number>   rounds of each server, at most (default 7)
--seconds <number>  time for each number of clients on each model (default 18)
--clients <list>    numbers of clients (default ${CLIENTS})
--threads <number>  threads that compute (default half of the processor's)
--size <size>       size of the larger model (default 300MB)
--only <subject>    tiny or random
--program <file>    the node's executable (default: the source)
`);
    return;
  }
  const clients = values.clients.split(",").map(Number);
  const bounds = { clients, rounds: Number(values.rounds), seconds: Number(values.seconds) };
  const args = [...ARGUMENTS, "--threads", values.threads];
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  try {
    const subjects = [tiny(), ...(values.only === "tiny" ? [] : [random(folder, values.size)])];
    const reference = await buildLlamaServer();
    const rows: Row[] = [];
    for (const subject of subjects.filter(({ label }) => label.startsWith(values.only ?? ""))) {
      const node = values.program === undefined ? PROGRAM : [values.program];
      rows.push(...(await compare(subject, { node, reference, home: folder, args, ...bounds })));
    }
    process.stdout.write(table(rows));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tiny(): Subject {
  const requests = (clients: number) => Math.max(clients > 16 ? 1 : 3, Math.round(24 / clients));
  return { label: "tiny, 4 MB", model: TINY, maxTokens: () => 64, requests, ratioMin: 0.97 };
}

function random(folder: string, size: string): Subject {
  const model = join(folder, "random.gguf");
  writeRandomModel({ path: model, parameters: parametersOf(size, "q8_0"), type: "q8_0" });
  const maxTokens = (clients: number) => (clients > 16 ? 12 : 32);
  return { label: `random, ${size}`, model, maxTokens, requests: () => 1, ratioMin: 1 };
}

interface Comparison {
  /** How the node is started. */
  node: string[];
  /** llama-server's executable. */
  reference: string;
  home: string;
  /** Arguments of both servers. */
  args: string[];
  clients: number[];
  /** Rounds of each server, at most, and seconds for all of them; one is always run. */
  rounds: number;
  seconds: number;
}

/** Both servers run all the time; only one at a time has something to do. */
async function compare(subject: Subject, comparison: Comparison): Promise<Row[]> {
  const { label, model } = subject;
  const { args, rounds, seconds } = comparison;
  if (!existsSync(model)) throw new Error(`Measuring with ${model}: it is missing`);
  const node = await startServer("the node", (port) => [
    ...[...comparison.node, "node", "--home", comparison.home, "--log-level", "warn"],
    ...["--model", `bench=${model}`, "--port", String(port), "--", ...args],
  ]);
  try {
    const reference = await startServer("llama-server", (port) => [
      ...[comparison.reference, "--model", model, "--alias", "bench", "--log-verbosity", "2"],
      ...["--port", String(port), "--host", "127.0.0.1", ...args],
    ]);
    try {
      const rows: Row[] = [];
      for (const clients of comparison.clients) {
        const round = (server: Server) => measure(server, subject, clients);
        const endMs = performance.now() + seconds * 1000;
        await round(node);
        await round(reference);
        const pairs: Row["pairs"] = [];
        do {
          // Neither is always the one that comes after the other.
          const early = pairs.length % 2 === 0 ? await round(node) : undefined;
          const beside = await round(reference);
          pairs.push({ node: early ?? (await round(node)), reference: beside });
        } while (pairs.length < rounds && performance.now() < endMs);
        process.stderr.write(`llmlb: ${label}, ${clients} clients: measured\n`);
        rows.push({ subject, clients, pairs });
      }
      return rows;
    } finally {
      await reference.stop();
    }
  } finally {
    await node.stop();
  }
}

async function measure(
  { url, pid }: Server,
  subject: Subject,
  clients: number,
): Promise<Measurement> {
  const requests = subject.requests(clients);
  const cpuBefore = cpuSeconds(pid);
  const round = await streamRound({
    ...{ url, model: "bench", prompt: "Tell a story", clients, requests },
    maxTokens: subject.maxTokens(clients),
  });
  return { ...round, cpuMsPerToken: ((cpuSeconds(pid) - cpuBefore) * 1000) / round.tokens };
}

function table(rows: Row[]): string {
  const lines = rows.map(({ subject, clients, pairs }) => {
    const middle = (of: "node" | "reference", value: (round: Measurement) => number) =>
      median(pairs.map((pair) => value(pair[of]))).toPrecision(3);
    // Of rounds next to each other, so that what else the machine does weighs on both.
    const ratios = (value: (round: Measurement) => number) =>
      pairs.map(({ node, reference }) => value(node) / value(reference));
    const speed = (round: Measurement) => round.tokensPerSecond;
    const firstByte = (round: Measurement) => median(round.firstByteMs);
    const cpu = (round: Measurement) => round.cpuMsPerToken;
    const isReached = median(ratios(speed)) >= subject.ratioMin;
    const isLate = clients >= FIRST_BYTE_CLIENTS_MIN && median(ratios(firstByte)) > 1;
    return [
      ...[subject.label, clients, middle("node", speed), middle("reference", speed)],
      ...[spread(ratios(speed)), middle("node", firstByte), middle("reference", firstByte)],
      ...[spread(ratios(firstByte)), middle("node", cpu), middle("reference", cpu)],
      [...(isReached ? [] : ["speed"]), ...(isLate ? ["first byte"] : [])].join(", "),
    ];
  });
  const columns = [
    ...["model", "clients", "node, tokens/s", "llama-server", "ratio (rounds: range)"],
    ...["first byte, ms", "llama-server", "ratio (rounds: range)"],
    ...["CPU ms a token", "llama-server", "missed"],
  ];
  const row = (cells: (string | number)[]) => `| ${cells.join(" | ")} |\n`;
  return row(columns) + row(columns.map(() => "---")) + lines.map(row).join("");
}

await main();
