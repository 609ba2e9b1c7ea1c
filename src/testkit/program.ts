import { startProgram, temporaryHome } from "./command.ts";
import { until } from "./eventually.ts";
import { killIfThere, killWithParent, processesOf } from "./processes.ts";

export interface StartOptions {
  /** The program's arguments; free ports are added for what is served. */
  args?: string[];
  /** Default: a fresh one, removed by `stop`. */
  home?: string;
  env?: Record<string, string>;
  /** Default: standalone. */
  mode?: "standalone" | "balancer" | "node";
  /** Wait until requests can be served. Default: true. */
  untilReady?: boolean;
  /** Most files and connections that it may have open. Default: as many as this process. */
  files?: number;
  /** The folder it is started in. Default: this process's own. */
  cwd?: string;
  /** Called with each line of its log. */
  hears?(line: Record<string, unknown>): void;
}

/** Longest wait for the program to listen and be ready; a busy machine is slow. */
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 20_000;
/** Longest wait for child processes to end after their parent. */
const GONE_MS_MAX = 3000;
/** Log lines kept, to explain a failed start. */
const LINES_KEPT = 40;

/** It did not start: how it ended (null if it had to be killed), and its last lines. */
export class StartFailure extends Error {
  readonly code: number | null;
  readonly lines: readonly string[];

  constructor(code: number | null, lines: readonly string[], cause: unknown) {
    super(`llmlb did not start:\n${lines.join("\n")}`, { cause });
    this.code = code;
    this.lines = lines;
  }
}

/** A serving llmlb, started as a user would. */
export class Program {
  readonly home: string;
  /** Where clients reach it. */
  url = "";
  /** Where its local node listens; the same as `url` for a node alone. */
  nodeUrl = "";
  /** What it has printed on stdout. */
  printed = "";
  readonly #child: ReturnType<typeof startProgram>;
  readonly #ownHome: ReturnType<typeof temporaryHome> | undefined;
  readonly #watchdog: ReturnType<typeof killWithParent>;
  readonly #lines: string[] = [];
  readonly #engines: { model: string; pid: number }[] = [];
  #nodePid: number | undefined;
  readonly #log: Promise<unknown>;
  readonly #hears: StartOptions["hears"];

  private constructor(options: StartOptions) {
    const { args = [], home, env = {}, mode = "standalone", files, cwd } = options;
    this.#hears = options.hears;
    this.#ownHome = home === undefined ? temporaryHome() : undefined;
    this.home = home ?? this.#ownHome?.path ?? "";
    const ports = ["--port", "0", ...(mode === "standalone" ? ["--node-port", "0"] : [])];
    this.#child = startProgram([mode === "standalone" ? "serve" : mode, ...ports, ...args], {
      home: this.home,
      env,
      files,
      cwd,
    });
    this.#watchdog = killWithParent(this.#child.pid);
    this.#log = Promise.all([this.#readLog(), this.#readOutput()]);
  }

  /** Starts llmlb and waits until it serves. Throws with its last log lines if it does not. */
  static async start(options: StartOptions = {}): Promise<Program> {
    const program = new Program(options);
    try {
      await program.#untilServing(options);
      return program;
    } catch (cause) {
      const code = program.#child.exitCode;
      await program.kill();
      throw new StartFailure(code, program.#lines, cause);
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The exit code, once it has ended; null after a signal. */
  get exited(): Promise<number | null> {
    return this.#child.exited.then(() => this.#child.exitCode);
  }

  /** The process of a model's engine as last started. */
  enginePid(model: string): number {
    const pid = this.lastEnginePid(model);
    if (pid === undefined) throw new Error(`no engine of ${model} was started`);
    return pid;
  }

  /** The same; undefined if none was started. */
  lastEnginePid(model: string): number | undefined {
    return this.#engines.findLast((one) => one.model === model)?.pid;
  }

  /** Engines that were started so far. */
  get engines(): number {
    return this.#engines.length;
  }

  /** The process of the local node as last started. */
  get nodePid(): number {
    if (this.#nodePid === undefined) throw new Error("no local node was started");
    return this.#nodePid;
  }

  signal(name: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGHUP" | "SIGUSR2"): void {
    this.#child.kill(name);
  }

  /** The last lines of its log. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** What lives of it: itself, its node, engines, and short-lived ones that look at devices. */
  processes(): number[] {
    return processesOf(this.home);
  }

  /** Ends it in good order; throws unless it ends with 0 and leaves no process behind. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.signal("SIGTERM");
      const timer = setTimeout(() => this.signal("SIGKILL"), STOP_MS_MAX);
      await this.#child.exited;
      clearTimeout(timer);
      if (this.#child.exitCode !== 0) {
        const end = this.#child.signalCode ?? this.#child.exitCode;
        await this.kill();
        throw new Error(`llmlb ended with ${end}:\n${this.#lines.join("\n")}`);
      }
    }
    try {
      await until(() => this.processes().length === 0, GONE_MS_MAX);
    } finally {
      await this.kill();
    }
  }

  /** Ends everything at once and removes the data folder. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    await this.#log;
    for (const pid of this.processes()) killIfThere(pid);
    this.#watchdog.stdin.write("done\n");
    await this.#watchdog.stdin.end();
    this.#ownHome?.[Symbol.dispose]();
  }

  async #untilServing({ mode = "standalone", untilReady = true }: StartOptions): Promise<void> {
    const mustLive = () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#child.exitCode}`);
    };
    await until(() => {
      mustLive();
      return this.url !== "" && (mode !== "standalone" || this.nodeUrl !== "");
    }, START_MS_MAX);
    if (mode === "node") this.nodeUrl = this.url;
    if (!untilReady) return;
    await until(() => {
      mustLive();
      // Where it ends, nothing listens any more: the next look finds that.
      return this.#get("/ready").then(
        ({ ok }) => ok,
        () => false,
      );
    }, START_MS_MAX);
  }

  /** Its certificate is what a test of that is about. */
  #get(path: string): Promise<Response> {
    return fetch(this.url + path, { tls: { rejectUnauthorized: false } });
  }

  /** Reads the log that the program writes where there is no terminal: one JSON object a line. */
  async #readLog(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#child.stderr) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#hear(line);
    }
  }

  async #readOutput(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      this.printed += decoder.decode(chunk, { stream: true });
    }
  }

  #hear(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    if (!line.startsWith("{")) return;
    const said = JSON.parse(line) as LogLine & Record<string, unknown>;
    this.#hears?.(said);
    const { msg, url = "", model = "", engine_pid: pid, node_pid } = said;
    if (msg === "serve.listening") this.url = url;
    if (msg === "engine.ready" && pid !== undefined) this.#engines.push({ model, pid });
    if (msg !== "local_node.listening") return;
    this.nodeUrl = url;
    this.#nodePid = node_pid;
  }
}

interface LogLine {
  msg?: string;
  url?: string;
  model?: string;
  engine_pid?: number;
  node_pid?: number;
}
