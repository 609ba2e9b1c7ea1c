import { childEnvironment } from "../../config/childenvironment.ts";
import { environment } from "../../config/environment.ts";
import type { Settings } from "../../config/settings.ts";
import { BEAT_MS, Watchdog } from "../../engine/watchdog.ts";
import { type BackoffOptions, backoffMs } from "../../lib/backoff.ts";
import { type Child, type ChildOptions, spawnProgram } from "../../lib/childprocess.ts";
import { withDeadline } from "../../lib/deadline.ts";
import type { LogLevel } from "../../lib/log.ts";
import type { LogBook } from "../../lib/logbook.ts";
import type { EngineMemory, NodeReadiness } from "../../wire/system.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { LOCAL_NODE_COMMAND } from "./localnodecommand.ts";
import { logChildLine } from "./localnodelog.ts";
import { type LocalBalancer, LocalNodeMessage, type ParentMessage } from "./localnodemessages.ts";

interface LocalNodeOptions {
  balancer: Omit<LocalBalancer, "isOpen">;
  /** Settings of this process; the child gets them on loopback and without endpoints. */
  settings: Settings;
  book: LogBook;
  /** Whether the balancer answers under its URL; else `balancerOpened` says when it does. */
  isBalancerOpen: boolean;
  /** Called when the node listens, also after a restart. */
  onListening(url: string): void;
  /** Called when the node can, or cannot, serve requests. */
  onReadiness(readiness: NodeReadiness): void;
  /** Called when the node cannot go on, however often it is started. */
  onFailed(error: CliError): void;
  /** Bounds of the delay between restarts. */
  backoff?: BackoffOptions;
  /** How a process is started. Default: this program again. */
  spawn?(options: ChildOptions): Child;
}

/** A node that ran for this long is started again without delay. */
const STABLE_MS = 60_000;
/** After the drain, how long a node may take to end its engines before it is killed. */
const STOP_GRACE_MS = 10_000;

/** The node of a standalone llmlb: a child process that is started again whenever it ends. */
export class LocalNode {
  readonly #options: LocalNodeOptions;
  #child: Child | undefined;
  #port: number;
  #fingerprint: string | undefined;
  #isBalancerOpen: boolean;
  #occupiedMemory: EngineMemory = {};
  readonly #handedOver = Promise.withResolvers<void>();
  #stopping = false;
  #failures = 0;
  #restart: Timer | undefined;
  /** Of the node that listens. */
  #watchdog: Watchdog | undefined;
  #watching: Timer | undefined;

  constructor(options: LocalNodeOptions) {
    this.#options = options;
    this.#port = options.settings.nodePort;
    this.#isBalancerOpen = options.isBalancerOpen;
  }

  /** Process id of the running node. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { spawn = spawnProgram } = this.#options;
    const { log } = this.#options.book;
    const startedAt = performance.now();
    const child = spawn({
      args: [LOCAL_NODE_COMMAND],
      env: childEnvironment(environment()),
      onMessage: (message) => this.#onMessage(child, message),
      onLine: (line) => logChildLine(log, line),
    });
    this.#child = child;
    child.exited.then((end) => this.#onExit(end, performance.now() - startedAt));
  }

  /** Tells the node which certificate the balancer shows from now on. */
  renewed(fingerprint: string): void {
    this.#fingerprint = fingerprint;
    this.#tell({ type: "certificate", fingerprint });
  }

  /** Tells the node that the balancer answers under its URL from now on. */
  balancerOpened(): void {
    this.#isBalancerOpen = true;
    this.#tell({ type: "balancer_open" });
  }

  /** Tells the node what has changed in the settings. */
  reloaded(changes: Partial<Settings>): void {
    // Requests are logged here, and its level comes by itself.
    const { accessLog: _, logLevel: __, ...settings } = changes;
    this.#tell({ type: "reload", settings });
  }

  /** Tells the node from which level on it writes lines. */
  setLogLevel(level: LogLevel): void {
    this.#tell({ type: "log_level", level });
  }

  /** Tells the node how much memory the engines of the node before it have. */
  occupied(memory: EngineMemory): void {
    this.#occupiedMemory = memory;
    this.#tell({ type: "occupied", memory });
  }

  /** Tells the node that another takes its place, and waits until its idle engines have ended. */
  async handOver(): Promise<void> {
    if (this.#child === undefined) return;
    this.#tell({ type: "hand_over" });
    await withDeadline(this.#handedOver.promise, { timeoutMs: STOP_GRACE_MS });
  }

  /** Asks the node to stop, and kills it `STOP_GRACE_MS` after `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    sendTo(child, { type: "stop", drainMs });
    const timer = setTimeout(() => child.kill("SIGKILL"), drainMs + STOP_GRACE_MS);
    await child.exited;
    clearTimeout(timer);
  }

  /** Nothing runs between two starts; the next one gets it with its settings. */
  #tell(message: ParentMessage): void {
    this.#child?.send(message);
  }

  #onMessage(child: Child, message: unknown): void {
    const { settings, balancer, book, onListening, onReadiness, onFailed } = this.#options;
    const { log } = book;
    const result = LocalNodeMessage.safeParse(message);
    if (!result.success) {
      log.warn({ message }, "local_node.unknown_message");
      return;
    }
    if (result.data.type === "hello") {
      // The message to stop came before the child listened and was lost; it serves nothing yet.
      if (this.#stopping) child.kill("SIGKILL");
      else {
        const own = nodeSettings({ ...settings, logLevel: book.level }, this.#port);
        const pinned = this.#fingerprint === undefined ? {} : { fingerprint: this.#fingerprint };
        sendTo(child, {
          type: "settings",
          settings: own,
          balancer: { ...balancer, ...pinned, isOpen: this.#isBalancerOpen },
          occupiedMemory: this.#occupiedMemory,
        });
      }
      return;
    }
    if (result.data.type === "readiness") onReadiness(result.data.readiness);
    else if (result.data.type === "failed") {
      const { message, exitCode } = result.data;
      onFailed(new CliError(message, exitCode === EXIT.usage ? EXIT.usage : EXIT.error));
    } else if (result.data.type === "handed_over") this.#handedOver.resolve();
    else if (result.data.type === "beat") this.#watchdog?.beat(0);
    else {
      this.#watch(child);
      const { url, port } = result.data;
      this.#port = port; // Kept over restarts, so that the endpoint's address stays.
      log.info({ url, node_pid: child.pid }, "local_node.listening");
      onListening(url);
    }
  }

  /** Kills a node that gives no sign of life, as one that was stopped: then it is started again. */
  #watch(child: Child): void {
    const watchdog = new Watchdog();
    this.#watchdog = watchdog;
    clearInterval(this.#watching);
    this.#watching = setInterval(() => {
      const why = this.#stopping ? undefined : watchdog.look();
      if (why === undefined) return;
      clearInterval(this.#watching);
      this.#options.book.log.error({ node_pid: child.pid, why }, "local_node.stuck");
      child.kill("SIGKILL");
    }, BEAT_MS);
  }

  #onExit(end: { code: number | null; signal: string | null }, livedMs: number): void {
    const { book, backoff = { firstMs: 500, maxMs: 30_000 } } = this.#options;
    this.#child = undefined;
    clearInterval(this.#watching);
    if (this.#stopping) return;
    this.#failures = livedMs >= STABLE_MS ? 0 : this.#failures + 1;
    const delayMs = this.#failures === 0 ? 0 : backoffMs(this.#failures - 1, backoff);
    book.log.error({ ...end, restart_in_ms: delayMs }, "local_node.ended");
    this.#restart = setTimeout(() => this.start(), delayMs);
  }
}

/**
 * The parent's settings, but on loopback, in plain HTTP and without endpoints; the parent logs the
 * requests.
 */
function nodeSettings(settings: Settings, port: number): Settings {
  const own = { host: "127.0.0.1", port, endpoints: [], accessLog: false };
  const plain = { tlsCert: null, tlsKey: null, tlsKeyPassword: null };
  return { ...settings, ...own, ...plain, access: "auto", adminPassword: null };
}

function sendTo(child: Child, message: ParentMessage): void {
  child.send(message);
}
