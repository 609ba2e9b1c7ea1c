import { cpuSeconds } from "./process.ts";

/** A process that runs on one core only. */
export interface PinnedProcess {
  pid: number;
  url: string;
  /** Milliseconds of processor time used so far, by it and its children. */
  cpuMs(): number;
  stop(): Promise<void>;
}

export interface PinnedOptions {
  argv: string[];
  core: number;
  port: number;
  env?: Record<string, string>;
  /** Asked until it answers. */
  probe: string;
}

const START_MS_MAX = 10_000;

/** Starts a server on `core` (Linux `taskset`) and waits until it answers. */
export async function startPinned(options: PinnedOptions): Promise<PinnedProcess> {
  const child = Bun.spawn(["taskset", "-c", String(options.core), ...options.argv], {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const url = `http://127.0.0.1:${options.port}`;
  const deadline = performance.now() + START_MS_MAX;
  while (!(await answers(url + options.probe))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill();
      throw new Error(
        `starting ${options.argv[0]} failed: ${await new Response(child.stderr).text()}`,
      );
    }
    await Bun.sleep(50);
  }
  return {
    pid: child.pid,
    url,
    cpuMs: () => cpuSeconds(child.pid) * 1000,
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { keepalive: false }).catch(() => undefined);
  return response?.ok === true;
}
