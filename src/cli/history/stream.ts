/**
 * Writes a body as it comes, no faster than `stream` takes it. Throws if the connection breaks;
 * whoever reads may leave early, as `head` does.
 */
export async function writeWhole(response: Response, stream: NodeJS.WritableStream): Promise<void> {
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
