import { rmSync, writeSync } from "node:fs";
import { postToParent } from "../lib/childprocess.ts";
import { errorMessage } from "../lib/errormessage.ts";
import { backendProblem, listDevices, NativeEngine, serveDevices } from "./binding.ts";
import { confineProcess } from "./confinement.ts";
import type { EngineCommand, EngineDescription, EngineEvent, PromptFileEvent } from "./messages.ts";
import { serveEngine } from "./server.ts";
import { severityOf } from "./severity.ts";
import { BEAT_MS } from "./watchdog.ts";

/** ggml's level of warnings. */
const WARNING = 3;

/**
 * The main function of an engine process: runs one model and serves HTTP on a socket. It obeys the
 * commands that the node sends, and ends when the node's message channel closes. What the node
 * sends was made by this same program, so only the node checks messages: without schemas an engine
 * starts sooner and is 10 MB smaller.
 */
export async function runEngine(): Promise<void> {
  if (process.send === undefined) {
    throw new Error("`llmlb engine` is started by a node; use `llmlb node --model <file>` instead");
  }
  confineProcess();
  // Signals may reach the whole process group; only the node decides when an engine ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
  // Not process.exit(): that would run C++ destructors under the feet of the decoding threads.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.on("message", (message) => executeOrEnd(message as EngineCommand));
  send({ type: "started" });
}

/** What fails here is a missing or damaged library: the node tells the line that it reads. */
function executeOrEnd(command: EngineCommand): void {
  try {
    execute(command);
  } catch (cause) {
    const message = errorMessage(cause);
    writeSync(2, `error: ${message.split("\n")[0]}\n`);
    process.exit(1);
  }
}

let stop = (): void => process.exit(0);

function execute(command: EngineCommand): void {
  switch (command.type) {
    case "load":
      load(command);
      break;
    case "probe": {
      const { devices, llamaCpp } = listDevices(command.directories);
      send({ type: "devices", devices, llama_cpp: llamaCpp });
      break;
    }
    case "inspect": {
      const libraries = command.files.map((file) => {
        const reason = backendProblem(command.directory, file);
        return { file, ...(reason === undefined ? {} : { reason }) };
      });
      send({ type: "libraries", libraries });
      break;
    }
    case "lend":
      send({ type: "lending", devices: serveDevices(command.directories, command) });
      break;
    case "stop":
      stop();
      break;
  }
}

function load({
  directories,
  args,
  socket,
  logLevel,
}: Extract<EngineCommand, { type: "load" }>): void {
  const engine = new NativeEngine(directories, {
    log(level, text) {
      if (level < logLevel) return;
      // Some come with every request; the node would only throw them away.
      if (logLevel >= WARNING && severityOf(level, text) === "debug") return;
      send({ type: "log", level, text });
    },
    progress: (fraction) => send({ type: "progress", fraction }),
    loadError: (text) => send({ type: "load_error", text }),
    promptFile: (info) => send({ type: "prompt_file", event: info as PromptFileEvent }),
    ready(info) {
      const { address, close } = serveEngine(engine, socket);
      const beat = () => send({ type: "beat", stalled_ms: engine.stalledMs });
      const timer = setInterval(beat, BEAT_MS);
      stop = () => {
        clearInterval(timer);
        close();
        engine.destroy();
        rmSync(socket, { force: true });
        process.exit(0);
      };
      send({ type: "ready", address, info: info as EngineDescription });
    },
  });
  engine.load(args);
}

function send(event: EngineEvent): void {
  postToParent(event);
}
