import { endWithReader, exitOnUncaught } from "./cli/process/failure.ts";
import { runCli } from "./cli/program.ts";

exitOnUncaught();
endWithReader();
process.exitCode = await runCli(process.argv.slice(2));
