import type { ForwardTarget } from "../http/proxy/forward.ts";
import { type Child, spawnSelf } from "../lib/childprocess.ts";
import type { Logger } from "../lib/log.ts";
import { explainCrash, explainLoadError } from "./failure.ts";
import { type Engine, EngineLoadError, type EngineOptions, type LoadFailure } from "./launch.ts";
import { type EngineAddress, FromEngine, type ModelInfo, type ToEngine } from "./messages.ts";
import { SECRET_HEADER } from "./serve.ts";
import { severityOf } from "./severity.ts";

/** Lines kept of what an engine prints and logs as an error, to explain its end. */
const LAST_LINES = 40;

/** The parent's end of an engine process: what it said, and how it ended. */
export class EngineProcess {
  readonly child: Child;
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #lines: string[] = [];
  readonly #loaded = Promise.withResolvers<{ address: EngineAddress; info: ModelInfo }>();
  #stopping = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "engine", model: options.modelId });
    this.child = spawnSelf({
      args: ["engine"],
      onMessage: (message) => this.#hear(FromEngine.parse(message)),
      onLine: (line) => {
        this.#remember(line);
        this.#log.debug({ text: line }, "engine.stderr");
      },
    });
  }

  send(message: ToEngine): void {
    this.child.send(message);
  }

  /** Waits for the model: loaded, failed, crashed, too slow or no longer wanted. */
  async loaded(): Promise<{ address: EngineAddress; info: ModelInfo }> {
    const { modelPath, loadTimeoutMs, signal } = this.#options;
    const give = (reason: LoadFailure, why: string) =>
      this.#loaded.reject(EngineLoadError.of(reason, modelPath, why));
    const timer = setTimeout(
      () => give("timeout", `it took longer than ${loadTimeoutMs / 1000} s.`),
      loadTimeoutMs,
    );
    const onAbort = () => give("cancelled", "it was cancelled.");
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.child.exited.then((exit) => {
      const { reason, why } = explainCrash(exit, this.#lines);
      give(reason, why);
    });
    try {
      return await this.#loaded.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  engine(address: EngineAddress, info: ModelInfo): Engine {
    const { modelId } = this.#options;
    return {
      pid: this.child.pid,
      info: {
        slots: info.slots,
        contextTokens: info.context_tokens,
        parameters: info.parameters,
        sizeBytes: info.size_bytes,
        vision: info.vision,
        audio: info.audio,
        embeddings: info.embeddings,
      },
      target: (pathAndQuery) => ({ ...reach(address, pathAndQuery), label: `model ${modelId}` }),
      exited: this.child.exited.then((exit) => ({
        expected: this.#stopping,
        message: explainCrash(exit, this.#lines).why,
      })),
      stop: (graceMs) => this.#stop(graceMs),
    };
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.send({ type: "stop" });
    const timer = setTimeout(() => this.child.kill("SIGKILL"), graceMs);
    await this.child.exited;
    clearTimeout(timer);
  }

  #hear(message: FromEngine): void {
    switch (message.type) {
      case "log":
        this.#hearLog(message.level, message.text);
        break;
      case "progress":
        this.#options.onProgress?.(message.fraction);
        break;
      case "ready":
        this.#loaded.resolve(message);
        break;
      case "load_error": {
        const { reason, why } = explainLoadError(message.text, this.#lines);
        this.#loaded.reject(EngineLoadError.of(reason, this.#options.modelPath, why));
        break;
      }
      default:
        break; // answers to questions that only probe.ts asks
    }
  }

  #hearLog(level: number, text: string): void {
    const severity = severityOf(level, text);
    if (severity === "error") this.#remember(text);
    this.#log[severity]({ text }, "engine.log");
  }

  #remember(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LAST_LINES) this.#lines.shift();
  }
}

function reach(address: EngineAddress, pathAndQuery: string): Omit<ForwardTarget, "label"> {
  if ("unix" in address) return { url: `http://engine${pathAndQuery}`, unix: address.unix };
  const url = `http://127.0.0.1:${address.port}${pathAndQuery}`;
  return { url, headers: { [SECRET_HEADER]: address.secret } };
}
