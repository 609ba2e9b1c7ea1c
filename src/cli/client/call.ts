import type { z } from "zod";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { type Server, type ServerRequest, send } from "./server.ts";

/** What every command that asks a running llmlb needs. */
export interface ServerCommand {
  server: Server;
  /** Print the server's answer as it is. */
  json: boolean;
}

/** Asks a server and reads its answer. Throws `CliError` for an error and for what is no answer. */
export async function call<T>(
  server: Server,
  path: string,
  schema: z.ZodType<T>,
  request: ServerRequest = {},
): Promise<T> {
  const response = await send(server, path, request);
  const result = schema.safeParse(await response.json().catch(() => undefined));
  if (result.success) return result.data;
  throw new CliError(`${server.url} answered ${path} in another way than this llmlb understands.`);
}

/** Prints a value as JSON; returns the exit code to end with. */
export function printJson(value: object, code: ExitCode = EXIT.ok): ExitCode {
  printLine(JSON.stringify(value, null, 2));
  return code;
}

/** Prints a line. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}
