import type { Jail } from "./jail.ts";
import { streamedText } from "./streamedtext.ts";

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 5;

/** A started llmlb. */
export interface Server {
  url: string;
  /** Time from the start of the process until `/health` answered. */
  healthMs: number;
  /** The same until `/ready` answered: the local node is there. */
  readyMs: number;
  /** Asks a chat; returns the text of the answer. Throws with the body of any other answer. */
  chat(content: string): Promise<string>;
  /** The same as a stream; throws as well where that does not end as streams do. */
  stream(content: string): Promise<string>;
  /** Sends SIGTERM; resolves with the exit code, or throws if it does not end. */
  stop(): Promise<number>;
}

/** Starts llmlb in a jail on a port and waits until it is ready. Throws with what it printed. */
export async function startServer(jail: Jail, home: string, port: number): Promise<Server> {
  const startMs = performance.now();
  const child = Bun.spawn(jail.command(["--port", String(port)]), {
    env: { ...jail.environment(home), LLMLB_NODE_PORT: String(port + 1000) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const url = `http://127.0.0.1:${port}`;
  const until = async (path: string) => {
    while (!(await isUp(`${url}${path}`))) {
      const late = performance.now() - startMs > START_TIMEOUT_MS * jail.slowness;
      if (late) child.kill("SIGKILL");
      if (late || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`it did not start (${path}):\n${(await printed).join("\n")}`);
      }
      await Bun.sleep(POLL_MS);
    }
    return performance.now() - startMs;
  };
  const healthMs = await until("/health");
  const readyMs = await until("/ready");
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS * jail.slowness);
    const code = await child.exited;
    clearTimeout(timer);
    if (child.signalCode !== null) throw new Error(`it ended by ${child.signalCode}`);
    return code;
  };
  const ask = (content: string, isStream: boolean) => {
    const signal = AbortSignal.timeout(START_TIMEOUT_MS * jail.slowness);
    return post(url, { ...bodyOf(content), stream: isStream }, signal);
  };
  return {
    ...{ url, healthMs, readyMs, stop },
    chat: async (content) => JSON.parse(await ask(content, false)).choices[0].message.content,
    stream: async (content) => {
      const body = await ask(content, true);
      const text = streamedText(body);
      if (text === undefined) throw new Error(`the stream broke off: ${body.slice(-200)}`);
      return text;
    },
  };
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // not listening yet
  }
}

function bodyOf(content: string) {
  return { model: "llmlb-tiny", messages: [{ role: "user", content }], temperature: 0 };
}

async function post(url: string, body: object, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return text;
}
