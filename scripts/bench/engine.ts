// How a node compares with llama-server, built from the same sources and libraries, with the same
// model and arguments: `npm run bench engine`, with `-- --help` for options.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median, type StreamRound, streamRound } from "./load.ts";
import { parametersOf, writeRandomModel } from "./model.ts";
import { buildLlamaServer } from "./reference.ts";
import { type Server, startServer } from "./server.ts";

const ROOT = join(import.meta.dir, "../..");
const TINY = join(ROOT, "fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");
const CLIENTS = [1, 4, 16];
/** Both servers get these; 16 slots, so that no client waits for another. */
const ARGUMENTS = ["--ctx-size", "16384", "--parallel", "16", "--threads", "2"];

interface Subject {
  label: string;
  model: string;
  /** Length of each answer, and how many answers each client asks for, by the number of clients. */
  maxTokens: number;
  requests(clients: number): number;
}

/** A number of clients on a model: the rounds of the node, and of llama-server beside them. */
interface Row {
  label: string;
  clients: number;
  pairs: { node: StreamRound; reference: StreamRound }[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      size: { type: "string", default: "300MB" },
      only: { type: "string" },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`--rounds <number>   rounds of each server (default 5)
--size <size>       size of the larger model (default 300MB)
--only <subject>    tiny or random
--program <file>    the node's executable (default: the source)
`);
    return;
  }
  const rounds = Number(values.rounds);
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  try {
    const subjects = [tiny(), ...(values.only === "tiny" ? [] : [random(folder, values.size)])];
    const reference = await buildLlamaServer();
    const rows: Row[] = [];
    for (const subject of subjects.filter(({ label }) => label.startsWith(values.only ?? ""))) {
      const node = values.program === undefined ? fromSource() : [values.program];
      rows.push(...(await compare(subject, { node, reference, home: folder, rounds })));
    }
    process.stdout.write(table(rows));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tiny(): Subject {
  const requests = (clients: number) => (clients === 1 ? 20 : 8);
  return { label: "tiny, 4 MB", model: TINY, maxTokens: 64, requests };
}

function random(folder: string, size: string): Subject {
  const model = join(folder, "random.gguf");
  writeRandomModel({ path: model, parameters: parametersOf(size, "q8_0"), type: "q8_0" });
  return { label: `random, ${size}`, model, maxTokens: 16, requests: () => 1 };
}

function fromSource(): string[] {
  return [process.execPath, join(ROOT, "src/main.ts")];
}

interface Comparison {
  /** How the node is started. */
  node: string[];
  /** llama-server's executable. */
  reference: string;
  home: string;
  rounds: number;
}

/** Both servers run all the time; only one at a time has something to do. */
async function compare(subject: Subject, comparison: Comparison): Promise<Row[]> {
  const { label, model } = subject;
  if (!existsSync(model)) throw new Error(`Measuring with ${model}: it is missing`);
  const node = await startServer("the node", (port) => [
    ...[...comparison.node, "node", "--home", comparison.home, "--log-level", "warn"],
    ...["--model", `bench=${model}`, "--port", String(port), "--", ...ARGUMENTS],
  ]);
  try {
    const reference = await startServer("llama-server", (port) => [
      ...[comparison.reference, "--model", model, "--alias", "bench", "--log-verbosity", "2"],
      ...["--port", String(port), "--host", "127.0.0.1", ...ARGUMENTS],
    ]);
    try {
      const rows: Row[] = [];
      for (const clients of CLIENTS) {
        const round = (server: Server) => measure(server, subject, clients);
        await round(node);
        await round(reference);
        const pairs: Row["pairs"] = [];
        for (let i = 0; i < comparison.rounds; i += 1) {
          pairs.push({ node: await round(node), reference: await round(reference) });
        }
        process.stderr.write(`llmlb: ${label}, ${clients} clients: measured\n`);
        rows.push({ label, clients, pairs });
      }
      return rows;
    } finally {
      await reference.stop();
    }
  } finally {
    await node.stop();
  }
}

function measure({ url }: Server, subject: Subject, clients: number): Promise<StreamRound> {
  const { maxTokens } = subject;
  const requests = subject.requests(clients);
  return streamRound({ url, model: "bench", prompt: "Tell a story", clients, requests, maxTokens });
}

function table(rows: Row[]): string {
  const lines = rows.map(({ label, clients, pairs }) => {
    const speeds = (of: "node" | "reference") =>
      median(pairs.map((pair) => pair[of].tokensPerSecond)).toFixed(clients > 1 ? 0 : 1);
    const firstByte = (of: "node" | "reference") =>
      median(pairs.flatMap((pair) => pair[of].firstByteMs)).toFixed(1);
    // Of the rounds next to each other, so that what else the machine does weighs on both.
    const ratios = pairs.map(
      ({ node, reference }) => node.tokensPerSecond / reference.tokensPerSecond,
    );
    const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    return [
      ...[label, clients, speeds("node"), speeds("reference")],
      ...[`**${median(ratios).toFixed(2)}** (${range})`],
      ...[firstByte("node"), firstByte("reference")],
    ];
  });
  const head = "model|clients|node, tokens/s|llama-server|ratio|first byte, ms|llama-server";
  const columns = head.split("|");
  const row = (cells: (string | number)[]) => `| ${cells.join(" | ")} |\n`;
  return row(columns) + row(columns.map(() => "---")) + lines.map(row).join("");
}

await main();
