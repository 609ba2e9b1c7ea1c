import type { ClientContext } from "../client/options.ts";
import { sendRequest } from "../client/request.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";

/** Writes what a path of the API exports to stdout, as it comes. */
export async function printExport({ server }: ClientContext, path: string): Promise<ExitCode> {
  await writeWhole(await sendRequest(server, path), process.stdout);
  return EXIT.ok;
}

/**
 * Writes a body as it comes, no faster than `stream` takes it. Throws if the connection breaks;
 * whoever reads may leave early, as `head` does.
 */
async function writeWhole(response: Response, stream: NodeJS.WritableStream): Promise<void> {
  let isLeft = false;
  stream.on("error", () => {
    isLeft = true;
  });
  for await (const bytes of response.body ?? []) {
    if (isLeft) return;
    if (!stream.write(bytes)) await drained(stream);
  }
}

/** Settles when the stream takes more, or never will. */
function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["drain", "close", "error"]) stream.once(event, () => resolve());
  });
}
