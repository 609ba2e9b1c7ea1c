import { fileURLToPath } from "node:url";

/** Whether this process runs from the compiled single executable. */
export const isCompiled = import.meta.url.includes("$bunfs") || import.meta.url.includes("~BUN");

/** Where this program was when it started; another file may be there by now. */
const EXECUTABLE = process.execPath;

/** The command line that starts this same program with other arguments. */
export function programCommand(args: string[]): string[] {
  if (isCompiled) return [EXECUTABLE, ...args];
  return [EXECUTABLE, fileURLToPath(new URL("../main.ts", import.meta.url)), ...args];
}

export interface ChildOptions {
  /** Arguments after the program's own. */
  args: string[];
  /** The whole environment of the child. Default: this process's own. */
  env?: Record<string, string | undefined>;
  /** Called with each message the child sends. */
  onMessage(message: unknown): void;
  /** Called with each line that the child prints to stderr. */
  onLine(line: string): void;
}

/** A child process that runs this same program. */
export interface Child {
  readonly pid: number;
  /** Resolves when the process has ended. `signal` is set if a signal ended it. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  send(message: object): void;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Starts this same program as a child process with a message channel. The child must call
 * `exitWithParent()`, so that it never outlives this process.
 */
export function spawnProgram({ args, env, onMessage, onLine }: ChildOptions): Child {
  const child = Bun.spawn(programCommand(args), {
    ...(env === undefined ? {} : { env }),
    stdio: ["ignore", "ignore", "pipe"],
    serialization: "json",
    ipc: (message) => onMessage(message),
  });
  const drained = readLines(child.stderr, onLine);
  return {
    pid: child.pid,
    exited: child.exited.then(async () => {
      await drained;
      return { code: child.exitCode, signal: child.signalCode?.toString() ?? null };
    }),
    send: (message) => child.send(message),
    kill: (signal) => child.kill(signal),
  };
}

/** A process of what is now under this program's path, which outlives this one. */
export type SuccessorProcess = Pick<Child, "pid" | "exited" | "send" | "kill">;

/** Starts it with a message channel, and with this process's own input and output. */
export function spawnSuccessor({
  args,
  env,
  onMessage,
}: Required<Pick<ChildOptions, "args" | "env" | "onMessage">>): SuccessorProcess {
  const child = Bun.spawn(programCommand(args), {
    env,
    stdio: ["inherit", "inherit", "inherit"],
    serialization: "json",
    ipc: (message) => onMessage(message),
  });
  child.unref();
  return {
    pid: child.pid,
    exited: child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode?.toString() ?? null,
    })),
    send: (message) => child.send(message),
    kill: (signal) => child.kill(signal),
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line);
    if (rest.length > 64 * 1024) rest = "";
  }
  if (rest !== "") onLine(rest);
}

/** Sends a message to the parent process; does nothing if there is no channel to one. */
export function postToParent(message: object): void {
  process.send?.(message);
}

/** Ends this process when its parent has ended; `onMessage` gets the messages of the parent. */
export function exitWithParent(onMessage?: (message: unknown) => void): void {
  if (process.send === undefined) return;
  process.on("disconnect", () => process.exit(0));
  if (onMessage !== undefined) process.on("message", onMessage);
}
