import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, type Logger } from "../lib/log.ts";
import { argumentProblem } from "./arguments.ts";
import { EngineChild } from "./child.ts";
import { withDeviceNames } from "./devicenames.ts";
import { libraryDirectories } from "./library.ts";
import { EngineLoadError } from "./loaderror.ts";

/** Longest wait for llama.cpp to read the arguments. */
const CHECK_MS_MAX = 30_000;

/**
 * Why llama-server's arguments cannot be those of an engine, as a sentence; undefined if they can.
 * llama.cpp itself reads them, in a process that loads no model; one that cannot be started finds
 * no fault.
 */
export async function checkArguments(
  args: string[],
  { home, log }: { home: string; log: Logger },
): Promise<string | undefined> {
  const problem = argumentProblem(args);
  if (problem !== undefined || args.length === 0) return problem;
  const path = join(tmpdir(), `${randomUUID()}.gguf`); // There is none: reading them comes first.
  // That the file is missing is no news.
  const quiet = createLogger({ level: "silent" });
  const files = { modelId: "", modelPath: path, home };
  const options = { ...files, args, loadTimeoutMs: CHECK_MS_MAX, log: quiet };
  const directories = await libraryDirectories(home, log);
  const child = new EngineChild(options);
  const all = ["--model", path, "--offline", ...args];
  child.send({ type: "load", directories, args: all, socket: "", logLevel: 4 });
  try {
    await child.waitUntilLoaded();
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineLoadError) || error.reason !== "bad_arguments") return undefined;
    const why = error.message.replace(/^Loading \S+ failed: | Arguments after `--`.*$/g, "");
    return await withDeviceNames(why, { home, log });
  } finally {
    child.process.kill("SIGKILL");
  }
}
