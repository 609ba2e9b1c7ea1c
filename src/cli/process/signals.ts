/** Signals that ask a serving process to end. Not SIGHUP: a handler would undo `nohup`. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

interface StopSignals {
  /** Resolves with the first signal's name. */
  readonly first: Promise<string>;
  /** Sets the handler of further signals. */
  onSecond(act: (signal: string) => void): void;
}

/** Handles the signals that ask to stop: the first resolves `first`, the next calls `onSecond`. */
export function stopSignals(): StopSignals {
  let again: (signal: string) => void = () => undefined;
  const first = new Promise<string>((resolve) => {
    let received = 0;
    for (const signal of STOP_SIGNALS) {
      process.on(signal, () => {
        received += 1;
        if (received === 1) resolve(signal);
        else again(signal);
      });
    }
  });
  return {
    first,
    onSecond: (act) => {
      again = act;
    },
  };
}

/**
 * Ignores the signals that ask to stop, in a child process: they reach the whole process group of a
 * terminal or service, but only the parent decides when its children end.
 */
export function ignoreStopSignals(): void {
  for (const signal of STOP_SIGNALS) process.on(signal, () => undefined);
}

/** A second signal within this time is the first one, passed on by a wrapper program. */
const SAME_MS = 500;

/** Aborts at the first signal that asks to stop; the next one ends the process with `exitCode`. */
export function abortOnInterrupt(exitCode: number): AbortSignal {
  const controller = new AbortController();
  const { first, onSecond } = stopSignals();
  let firstAt = Number.POSITIVE_INFINITY;
  first.then((name) => {
    firstAt = performance.now();
    controller.abort(new Error(`stopped by ${name}`));
  });
  onSecond(() => {
    if (performance.now() - firstAt > SAME_MS) process.exit(exitCode);
  });
  return controller.signal;
}
