import { appendFile } from "node:fs/promises";
import type { BunFile } from "bun";

export interface CaptureOptions {
  cwd: string;
  stdin?: BunFile;
}

/** Runs a program and returns what it printed. Throws with its last lines when it fails. */
export async function capture(argv: string[], { cwd, stdin }: CaptureOptions): Promise<string> {
  // By default a child gets the environment as it was when this process started.
  const env = { ...process.env };
  const stdio: ["ignore" | BunFile, "pipe", "pipe"] = [stdin ?? "ignore", "pipe", "pipe"];
  const child = Bun.spawn(argv, { cwd, env, stdio });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) === 0) return out;
  throw new Error(`Running ${argv.slice(0, 3).join(" ")}: ${lastLines(err + out, 5)}`);
}

export interface LoggedOptions {
  cwd: string;
  /** Everything the program prints is appended here. */
  log: string;
  /** Gets each line. */
  onLine?(line: string): void;
}

const LINES_SHOWN = 30;

/** Runs a program with its output in a log file; a failure names the file and shows its end. */
export async function runLogged(
  argv: string[],
  { cwd, log, onLine }: LoggedOptions,
): Promise<void> {
  await appendFile(log, `\n$ ${argv.join(" ")}\n`);
  const child = Bun.spawn(argv, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const sink = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      await appendFile(log, text);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine?.(line);
    }
  };
  await Promise.all([sink(child.stdout), sink(child.stderr)]);
  const code = await child.exited;
  if (code === 0) return;
  const end = lastLines(await Bun.file(log).text(), LINES_SHOWN);
  const step = argv.slice(0, 2).join(" ");
  throw new Error(`${end}\n\nRunning ${step}: it ended with code ${code}. The whole log: ${log}`);
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
