import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { argumentProblem } from "./arguments.ts";
import { EngineChild } from "./child.ts";
import { withDeviceNames } from "./devicenames.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { libraryDirectories } from "./library.ts";
import { EngineLoadError } from "./loaderror.ts";
import { newSocket } from "./socket.ts";

/** Starts an engine process and waits until its model is loaded. Throws `EngineLoadError`. */
export async function launchEngine(options: EngineOptions): Promise<Engine> {
  const problem = argumentProblem(options.args);
  if (problem !== undefined) throw EngineLoadError.of("bad_arguments", options.modelPath, problem);
  await checkFile(options.modelPath);
  if (options.mmprojPath !== undefined) await checkFile(options.mmprojPath);
  const directories = await libraryDirectories(options.home, options.log);
  const socket = await newSocket(options.home);
  const child = new EngineChild(options);
  child.send({
    type: "load",
    directories,
    args: engineArguments(options),
    socket,
    logLevel: options.log.isLevelEnabled("debug") ? 1 : 3,
  });
  try {
    const { address, description } = await child.waitUntilLoaded();
    return child.engine(address, description);
  } catch (error) {
    child.process.kill("SIGKILL");
    if (!(error instanceof EngineLoadError) || error.reason !== "bad_arguments") throw error;
    const message = await withDeviceNames(error.message, options);
    throw new EngineLoadError(error.reason, message, error);
  } finally {
    child.process.exited.then(() => rmSync(socket, { force: true }));
  }
}

/** llama-server's arguments for a model. The last one wins, so the caller's follow ours. */
function engineArguments({ modelId, modelPath, mmprojPath, args, log }: EngineOptions): string[] {
  const verbosity = log.isLevelEnabled("trace") ? "5" : log.isLevelEnabled("debug") ? "3" : "2";
  return [
    ...["--model", modelPath, "--alias", modelId],
    ...(mmprojPath === undefined ? [] : ["--mmproj", mmprojPath]),
    ...["--metrics", "--log-verbosity", verbosity, "--offline"],
    ...args,
  ];
}

/** Throws `EngineLoadError` for a file that cannot be a model, before a process is started. */
async function checkFile(path: string): Promise<void> {
  const file = await open(path).catch((cause: unknown) => {
    throw EngineLoadError.of("not_found", path, "it cannot be read.", cause);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead === 4 && buffer.toString("latin1") === "GGUF") return;
  } catch (cause) {
    throw EngineLoadError.of("not_gguf", path, "it cannot be read; is it a folder?", cause);
  } finally {
    await file.close();
  }
  throw EngineLoadError.of("not_gguf", path, "it is not a GGUF file.");
}
