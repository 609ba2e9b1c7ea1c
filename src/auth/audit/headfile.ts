import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AuditAnchor, ChainPlace } from "../../db/audit/record.ts";
import { writePrivateFileLater } from "../../lib/privatefile.ts";
import { isSealed, sealOf } from "./chain.ts";

const Head = z.object({
  seq: z.int().min(0),
  mac: z.string(),
  time: z.number(),
  seal: z.string(),
});

/** What the file says: the last record's place; that there is no file; that it is not to trust. */
export type HeadClaim = ChainPlace | "missing" | "forged";

/**
 * The file beside the audit log that tells how far it goes (`audit.head`), so that records which
 * are cut off at its end are missed. It is written after the records, so it may be a little behind,
 * and never ahead.
 */
export class HeadFile {
  readonly #path: string;
  readonly #key: Uint8Array;
  #next: ChainPlace | undefined;
  #writing: Promise<void> | undefined;

  constructor(home: string, key: Uint8Array) {
    this.#path = join(home, "audit.head");
    this.#key = key;
  }

  /** What it says. Throws if it is there and cannot be read. */
  read(): HeadClaim {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "missing";
      throw new Error(`Reading ${this.#path} failed: ${String(cause)}`, { cause });
    }
    const head = parsed(text);
    return head !== undefined && isSealed(this.#key, "head", head) ? head : "forged";
  }

  /** Writes it shortly. Settles when this place or a later one is written; rejects if it cannot. */
  write(place: ChainPlace): Promise<void> {
    this.#next = place;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const place = { ...this.#next, time: Date.now() };
      this.#next = undefined;
      const head = { ...place, seal: sealOf(this.#key, "head", place) };
      await writePrivateFileLater(this.#path, `${JSON.stringify(head)}\n`);
    }
  }
}

function parsed(text: string): AuditAnchor | undefined {
  try {
    return Head.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // It is no JSON.
  }
}
