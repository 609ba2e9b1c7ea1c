import { environment } from "../config/environment.ts";
import type { ForwardTarget } from "../http/proxy/forward.ts";
import { type Child, spawnProgram } from "../lib/childprocess.ts";
import type { Logger } from "../lib/log.ts";
import { ENGINE_COMMAND } from "./command.ts";
import { diagnoseCrash, diagnoseLoad } from "./diagnosis.ts";
import type { Engine, EngineInfo, EngineOptions } from "./engine.ts";
import { engineEnvironment } from "./environment.ts";
import { EngineLoadError, type LoadFailure } from "./loaderror.ts";
import {
  type EngineAddress,
  type EngineCommand,
  type EngineDescription,
  EngineEvent,
} from "./messages.ts";
import { SECRET_HEADER } from "./server.ts";
import { severityOf } from "./severity.ts";
import { BEAT_MS, Watchdog } from "./watchdog.ts";

/** How many of the last lines on stderr and of the logged errors are kept to explain a failure. */
const LAST_LINES_MAX = 40;

/** An engine process as its parent sees it: its messages, its log lines and its end. */
export class EngineChild {
  readonly process: Child;
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #lines: string[] = [];
  readonly #loaded = Promise.withResolvers<LoadedEngine>();
  readonly #watchdog = new Watchdog();
  /** Why the engine was ended by its watchdog. */
  #stuck: string | undefined;
  #stopping = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "engine", model: options.modelId });
    this.process = spawnProgram({
      args: [ENGINE_COMMAND],
      env: engineEnvironment(environment()),
      onMessage: (message) => this.#onMessage(EngineEvent.parse(message)),
      onLine: (line) => {
        this.#remember(line);
        this.#log.debug({ text: line }, "engine.stderr");
      },
    });
  }

  send(command: EngineCommand): void {
    this.process.send(command);
  }

  /** Throws `EngineLoadError` if the load fails, takes too long or is aborted. */
  async waitUntilLoaded(): Promise<LoadedEngine> {
    const { modelPath, loadTimeoutMs, signal } = this.#options;
    const fail = (reason: LoadFailure, why: string) =>
      this.#loaded.reject(EngineLoadError.of(reason, modelPath, why));
    const timer = setTimeout(
      () => fail("timeout", `it took longer than ${loadTimeoutMs / 1000} s.`),
      loadTimeoutMs,
    );
    const onAbort = () => fail("cancelled", "it was cancelled.");
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.process.exited.then((exit) => {
      const { reason, why } = diagnoseCrash(exit, this.#lines);
      fail(reason, why);
    });
    try {
      return await this.#loaded.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** The loaded engine, for those who send requests to it. From now on it is watched. */
  engine(address: EngineAddress, description: EngineDescription): Engine {
    const { modelId } = this.#options;
    const timer = setInterval(() => this.#watch(), BEAT_MS);
    this.process.exited.finally(() => clearInterval(timer));
    return {
      pid: this.process.pid,
      info: infoOf(description),
      target: (pathAndQuery) => ({ ...targetAt(address, pathAndQuery), label: `model ${modelId}` }),
      exited: this.process.exited.then((exit) => ({
        expected: this.#stopping,
        message: this.#stuck ?? diagnoseCrash(exit, this.#lines).why,
      })),
      stop: (graceMs) => this.#stop(graceMs),
    };
  }

  /** Ends an engine that is stuck. Those who use it see what they see of one that crashes. */
  #watch(): void {
    const verdict = this.#stopping ? undefined : this.#watchdog.look();
    if (verdict === undefined || this.#stuck !== undefined) return;
    this.#stuck = verdict;
    this.#log.error({ engine_pid: this.process.pid, why: verdict }, "engine.stuck");
    this.process.kill("SIGKILL");
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.send({ type: "stop" });
    const timer = setTimeout(() => this.process.kill("SIGKILL"), graceMs);
    await this.process.exited;
    clearTimeout(timer);
  }

  #onMessage(message: EngineEvent): void {
    switch (message.type) {
      case "log":
        this.#onLog(message.level, message.text);
        break;
      case "beat":
        this.#watchdog.beat(message.stalled_ms);
        break;
      case "progress":
        this.#options.onProgress?.(message.fraction);
        break;
      case "ready":
        this.#loaded.resolve({ address: message.address, description: message.info });
        break;
      case "prompt_file":
        this.#options.onPromptFile?.(message.event);
        break;
      case "load_error": {
        const { reason, why } = diagnoseLoad(message.text, this.#lines);
        this.#loaded.reject(EngineLoadError.of(reason, this.#options.modelPath, why));
        break;
      }
      default:
        break; // answers to the commands of query.ts
    }
  }

  #onLog(level: number, text: string): void {
    const severity = severityOf(level, text);
    if (severity === "error") this.#remember(text);
    this.#log[severity]({ text }, "engine.log");
  }

  #remember(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LAST_LINES_MAX) this.#lines.shift();
  }
}

interface LoadedEngine {
  address: EngineAddress;
  description: EngineDescription;
}

function infoOf(description: EngineDescription): EngineInfo {
  const { slots, context_tokens, parameters, size_bytes, vision, audio, embeddings } = description;
  const { memory_bytes: memoryBytes } = description;
  const sizes = { contextTokens: context_tokens, parameters, sizeBytes: size_bytes };
  const memory = memoryBytes === undefined ? {} : { memoryBytes };
  return { slots, ...sizes, vision, audio, embeddings, ...memory };
}

function targetAt(address: EngineAddress, pathAndQuery: string): Omit<ForwardTarget, "label"> {
  if ("unix" in address) return { url: `http://engine${pathAndQuery}`, unix: address.unix };
  const url = `http://127.0.0.1:${address.port}${pathAndQuery}`;
  return { url, headers: { [SECRET_HEADER]: address.secret } };
}
