import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What one run of wrk measured. */
export interface WrkRun {
  requests: number;
  requestsPerSecond: number;
  medianMs: number;
  /** Answers that were no 2xx, and socket errors. */
  errors: number;
}

export interface WrkOptions {
  url: string;
  core: number;
  connections: number;
  seconds: number;
  /** Folder for wrk's script. */
  folder: string;
  /** Sent with every request, beside the content type. */
  headers?: Record<string, string>;
}

const SCRIPT = `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"model":"m","messages":[{"role":"user","content":"Hello, how are you today?"}]}'
`;

/** Sends chat requests as fast as they are answered, over kept-alive connections. */
export async function wrk(options: WrkOptions): Promise<WrkRun> {
  const script = join(options.folder, "chat.lua");
  const { core, connections, seconds, url, headers = {} } = options;
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}\n`,
  );
  writeFileSync(script, SCRIPT + lines.join(""));
  const run = Bun.spawn(
    ["taskset", "-c", String(core), "wrk", "-t1", `-c${connections}`, `-d${seconds}s`].concat([
      "--latency",
      "-s",
      script,
      `${url}/v1/chat/completions`,
    ]),
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const text = await new Response(run.stdout).text();
  if ((await run.exited) !== 0)
    throw new Error(`wrk failed: ${await new Response(run.stderr).text()}`);
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  const [, median = "0", unit = "ms"] = /50%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const broken = (sockets ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: number(/(\d+) requests in/),
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    medianMs: Number(median) * (unit === "us" ? 0.001 : unit === "s" ? 1000 : 1),
    errors: number(/Non-2xx or 3xx responses: (\d+)/) + broken,
  };
}
