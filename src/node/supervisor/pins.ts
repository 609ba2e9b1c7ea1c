import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";
import { writePrivateFile } from "../../lib/privatefile.ts";
import type { ServedModel } from "../models/catalog.ts";

/** The content of `pins.json` in the data folder: what was asked for, by the ids of models. */
const PinsFile = z.object({ pins: z.record(z.string(), z.boolean()) });

/** More are not kept; the oldest go. */
const PINS_MAX = 1000;

/**
 * Which models stay loaded: as requests said last, else as settings say. What requests said is kept
 * in the data folder, so that it holds after a restart.
 */
export class Pins {
  readonly #path: string;
  readonly #settings: ReadonlySet<string>;
  /** Only what differs from the settings. */
  readonly #asked: Map<string, boolean>;

  /** Never throws: a damaged file counts as none, and is replaced by the next change. */
  constructor(parts: { home: string; pinned: readonly string[]; log: Logger }) {
    this.#path = join(parts.home, "pins.json");
    this.#settings = new Set(parts.pinned);
    this.#asked = readPins(this.#path, parts.log);
  }

  isPinned(model: Pick<ServedModel, "id" | "isPinned">): boolean {
    return this.#asked.get(model.id) ?? this.#isSet(model);
  }

  /** Pins a model, or takes that back. Throws if the file cannot be written. */
  set(model: Pick<ServedModel, "id" | "isPinned">, isPinned: boolean): void {
    const asked = new Map(this.#asked);
    asked.delete(model.id);
    if (isPinned !== this.#isSet(model)) asked.set(model.id, isPinned);
    const kept = [...asked].slice(-PINS_MAX);
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writePrivateFile(
      this.#path,
      `${JSON.stringify({ pins: Object.fromEntries(kept) }, null, 2)}\n`,
    );
    this.#asked.clear();
    for (const [id, value] of kept) this.#asked.set(id, value);
  }

  #isSet({ id, isPinned }: Pick<ServedModel, "id" | "isPinned">): boolean {
    return isPinned ?? this.#settings.has(id);
  }
}

function readPins(path: string, log: Logger): Map<string, boolean> {
  try {
    const { pins } = PinsFile.parse(JSON.parse(readFileSync(path, "utf8")));
    return new Map(Object.entries(pins));
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (!isAbsent) log.warn({ path, reason: errorMessage(cause) }, "pins.unreadable");
    return new Map();
  }
}
