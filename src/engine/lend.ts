import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { environment } from "../config/environment.ts";
import { spawnProgram } from "../lib/childprocess.ts";
import { withDeadline } from "../lib/deadline.ts";
import type { Logger } from "../lib/log.ts";
import type { Device } from "../wire/system.ts";
import { diagnoseCrash } from "./diagnosis.ts";
import { engineEnvironment } from "./environment.ts";
import { libraryDirectories } from "./library.ts";
import { EngineEvent } from "./messages.ts";
import { newSocket } from "./socket.ts";

export interface LendOptions {
  /** The data folder. */
  home: string;
  log: Logger;
}

/**
 * The devices of this host in a process of their own, for one engine elsewhere. The process has no
 * log-in: only who may open its Unix socket reaches it, which lies in the data folder.
 */
export interface LentDevices {
  readonly pid: number;
  readonly devices: readonly Device[];
  /** Path of the Unix socket, which speaks ggml's RPC protocol. */
  readonly socket: string;
  /** Resolves once the process has ended, with the reason in words. */
  readonly exited: Promise<string>;
  /** Ends the process, which frees all memory of it. Idempotent. */
  end(): void;
}

/** Of the processor, as llama.cpp's own RPC server: half of what runs at once, often all cores. */
const THREADS = Math.max(1, Math.floor(availableParallelism() / 2));
/** Longest wait for the devices. A GPU driver may take seconds to wake up. */
const START_MS_MAX = 30_000;
/** Last lines kept, to explain an end. */
const LINES_MAX = 40;

/** Starts a process that lends this host's devices. Throws if it does not start. */
export async function lendDevices({ home, log }: LendOptions): Promise<LentDevices> {
  const directories = await libraryDirectories(home, log);
  const socket = await newSocket(home);
  const lines: string[] = [];
  const started = Promise.withResolvers<Device[]>();
  const child = spawnProgram({
    args: ["engine"],
    env: engineEnvironment(environment()),
    onMessage: (message) => {
      const event = EngineEvent.parse(message);
      if (event.type === "lending") started.resolve(event.devices);
    },
    onLine: (text) => {
      lines.push(text);
      if (lines.length > LINES_MAX) lines.shift();
      log.debug({ component: "lending", text }, "engine.stderr");
    },
  });
  const exited = child.exited.then((exit) => {
    rmSync(socket, { force: true });
    return diagnoseCrash(exit, lines).why;
  });
  exited.then((why) => started.reject(new Error(`Lending the devices failed: ${why}`)));
  child.send({ type: "lend", directories, socket, threads: THREADS });
  const end = () => child.kill("SIGKILL");
  try {
    const devices = await withDeadline(started.promise, { timeoutMs: START_MS_MAX });
    if (typeof devices === "string")
      throw new Error("Lending the devices failed: it took too long.");
    return { pid: child.pid, devices, socket, exited, end };
  } catch (error) {
    end();
    throw error;
  }
}
