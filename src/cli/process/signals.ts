/** Signals that ask a serving process to end. Not SIGHUP: a handler would undo `nohup`. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface StopSignals {
  /** Resolves with the first signal's name. */
  readonly first: Promise<string>;
  /** Sets what a further signal does. */
  onSecond(act: (signal: string) => void): void;
}

/** Takes over the signals that ask to stop: one stops in good order, the next at once. */
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
 * For a child process: signals reach the whole process group of a terminal or a service, but only
 * the parent decides when its children end.
 */
export function ignoreStopSignals(): void {
  for (const signal of STOP_SIGNALS) process.on(signal, () => undefined);
}

/** A wrapper may pass on what the terminal sent already: so soon after, it is the same signal. */
const SAME_MS = 500;

/** For a command that can stop half-way: the first signal aborts, the next one ends the process. */
export function interruption(exitCode: number): AbortSignal {
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
