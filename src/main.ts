import { exitOnBrokenPipe, exitOnUncaught } from "./cli/process/uncaught.ts";
import { ENGINE_COMMAND } from "./engine/command.ts";

exitOnUncaught();
exitOnBrokenPipe();
const args = process.argv.slice(2);
// An engine is started for each model: it is there sooner, and smaller, without the other commands.
if (args[0] === ENGINE_COMMAND) {
  const { runEngine } = await import("./engine/process.ts");
  await runEngine();
} else {
  const { runCli } = await import("./cli/program.ts");
  process.exitCode = await runCli(args);
}
