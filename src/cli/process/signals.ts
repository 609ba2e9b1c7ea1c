import { closeSync, openSync } from "node:fs";

/** Signals that ask a serving process to end. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A second signal within this time is the first one, passed on by a wrapper program. */
const SAME_MS = 500;

interface StopSignals {
  /** Resolves with the first signal's name. */
  readonly first: Promise<string>;
  /** Sets the handler of further signals. Default: the process ends at once, with 1. */
  onSecond(act: (signal: string) => void): void;
}

/**
 * Handles the signals that ask to stop: the first resolves `first`, one that comes at least half a
 * second later calls the handler of `onSecond`.
 */
export function stopSignals(nowMs = () => performance.now()): StopSignals {
  let again: (signal: string) => void = () => process.exit(1);
  const { promise: first, resolve } = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  const receive = (signal: string) => {
    if (firstAt === undefined) {
      firstAt = nowMs();
      resolve(signal);
    } else if (nowMs() - firstAt >= SAME_MS) again(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, () => receive(signal));
  if (process.stdin.isTTY === true)
    process.on("SIGHUP", () => isTerminalGone() && receive("SIGHUP"));
  return {
    first,
    onSecond: (act) => {
      again = act;
    },
  };
}

/** Whether the terminal that the process was started in has been closed. */
function isTerminalGone(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return false;
  } catch {
    return true;
  }
}

/** Calls `act` at each SIGHUP, which then does not end the process. */
export function onHangUp(act: () => void): void {
  process.on("SIGHUP", act);
}

/** Calls `act` at each SIGUSR2, by which one asks for an upgrade as of nginx. */
export function onUpgradeSignal(act: () => void): void {
  if (process.platform !== "win32") process.on("SIGUSR2", act);
}

/**
 * Ignores the signals that ask to stop, in a child process: they reach the whole process group of a
 * terminal or service, but only the parent decides when its children end.
 */
export function ignoreStopSignals(): void {
  for (const signal of [...STOP_SIGNALS, "SIGHUP", "SIGUSR2"]) process.on(signal, () => undefined);
}

/** Aborts at the first signal that asks to stop; the next one ends the process with `exitCode`. */
export function abortOnInterrupt(exitCode: number): AbortSignal {
  const controller = new AbortController();
  const { first, onSecond } = stopSignals();
  first.then((name) => controller.abort(new Error(`stopped by ${name}`)));
  onSecond(() => process.exit(exitCode));
  return controller.signal;
}
