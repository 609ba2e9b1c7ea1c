import { rmSync } from "node:fs";
import { tellParent } from "../lib/childprocess.ts";
import { listDevices, NativeEngine, whyNot } from "./binding.ts";
import { type FromEngine, ModelInfo, ToEngine } from "./messages.ts";
import { serveEngine } from "./serve.ts";

/**
 * The engine process: one model, HTTP on a socket, told what to do by messages from the node.
 * It lives exactly as long as the node's channel to it.
 */
export async function runEngine(): Promise<void> {
  if (process.send === undefined) {
    throw new Error("`llmlb engine` is started by a node; use `llmlb node --model <file>` instead");
  }
  // Signals may reach the whole process group; only the node decides when an engine ends.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
  // Not process.exit(): that would run C++ destructors under the feet of the decoding threads.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.on("message", (message) => obey(ToEngine.parse(message)));
  tell({ type: "started" });
}

let stop = (): void => process.exit(0);

function obey(message: ToEngine): void {
  switch (message.type) {
    case "load":
      load(message);
      break;
    case "probe": {
      const { devices, llamaCpp } = listDevices(message.directories);
      tell({ type: "devices", devices, llama_cpp: llamaCpp });
      break;
    }
    case "inspect": {
      const libraries = message.files.map((file) => {
        const reason = whyNot(message.directory, file);
        return { file, ...(reason === undefined ? {} : { reason }) };
      });
      tell({ type: "libraries", libraries });
      break;
    }
    case "stop":
      stop();
      break;
  }
}

function load({ directories, args, socket, logLevel }: Extract<ToEngine, { type: "load" }>): void {
  const engine = new NativeEngine(directories, {
    log(level, text) {
      if (level >= logLevel) tell({ type: "log", level, text });
    },
    progress: (fraction) => tell({ type: "progress", fraction }),
    loadError: (text) => tell({ type: "load_error", text }),
    ready(info) {
      const { address, close } = serveEngine(engine, socket);
      stop = () => {
        close();
        engine.destroy();
        rmSync(socket, { force: true });
        process.exit(0);
      };
      tell({ type: "ready", address, info: ModelInfo.parse(info) });
    },
  });
  engine.load(args);
}

function tell(message: FromEngine): void {
  tellParent(message);
}
