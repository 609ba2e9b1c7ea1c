import { exitOnBrokenPipe, exitOnUncaught } from "./cli/process/uncaught.ts";
import { runCli } from "./cli/program.ts";

exitOnUncaught();
exitOnBrokenPipe();
process.exitCode = await runCli(process.argv.slice(2));
