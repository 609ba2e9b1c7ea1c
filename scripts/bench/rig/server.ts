import { join } from "node:path";
import { freePort } from "../../../src/testkit/freeport.ts";
import { streamRound } from "./load.ts";

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
/** What a server printed last is told when it does not start. */
const PRINTED_BYTES_MAX = 4000;

/** The command that starts this program from its source. */
export const PROGRAM = [process.execPath, join(import.meta.dir, "../../../src/main.ts")];

/** A server under measurement. */
export interface Server {
  name: string;
  pid: number;
  url: string;
  stop(): Promise<void>;
}

/** Starts a server by a command line for a port; waits until it has answered a chat. */
export async function startServer(
  name: string,
  command: (port: number) => string[],
): Promise<Server> {
  const port = freePort();
  const child = Bun.spawn(command(port), { stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  const drained = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      printed = (printed + decoder.decode(chunk)).slice(-PRINTED_BYTES_MAX);
    }
  })();
  const url = `http://127.0.0.1:${port}`;
  const giveUpMs = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(url))) {
    const late = performance.now() > giveUpMs;
    if (late) child.kill("SIGKILL");
    if (late || child.exitCode !== null || child.signalCode !== null) {
      await drained;
      throw new Error(`Starting ${name}: it does not answer. It printed:\n${printed}`);
    }
    await Bun.sleep(POLL_MS);
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await child.exited;
  };
  return { name, pid: child.pid, url, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    const load = { url, model: "bench", prompt: "Hi", clients: 1, requests: 1, maxTokens: 1 };
    await streamRound(load);
    return true;
  } catch {
    return false; // not listening, or still loading the model
  }
}
