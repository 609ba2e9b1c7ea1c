import { fileURLToPath } from "node:url";

/** A process that asks a server for its health again and again. */
export class Heartbeat {
  readonly #child;
  readonly #lines: ReadableStreamDefaultReader<Uint8Array>;

  constructor(url: string) {
    const script = fileURLToPath(new URL("pulse.ts", import.meta.url));
    this.#child = Bun.spawn([process.execPath, script, url], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = this.#child.stdout.getReader();
  }

  /** The longest wait since the last call, in ms. */
  async longestMs(): Promise<number> {
    this.#child.stdin.write("\n");
    this.#child.stdin.flush();
    const { value } = await this.#lines.read();
    return Number(Buffer.from(value ?? []).toString());
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
