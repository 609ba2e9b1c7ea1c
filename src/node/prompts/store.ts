import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseObject } from "../../lib/json.ts";
import type { Logger } from "../../lib/log.ts";
import { decideRemovals } from "./decision.ts";

/** What is known of a kept prompt; beside its file, as JSON. */
const PromptRecord = z.object({
  model: z.string(),
  tokens: z.int().min(1),
  bytes: z.int().min(1),
  /** Time that its engine took to compute one of its tokens, in microseconds. */
  us_per_token: z.number().min(0),
  /** When it was written or read last, Unix ms. */
  used_ms: z.number(),
});

/** A prompt with its state in a file. */
export interface PromptFile {
  path: string;
  model: string;
  fingerprint: string;
  tokens: number;
  bytes: number;
  usPerToken: number;
  usedMs: number;
}

/** Whose prompts: a model, and what computes them (`promptFingerprint`). */
export interface PromptOwner {
  model: string;
  fingerprint: string;
}

export interface PromptStoreOptions {
  /** The folder that is the store's own. */
  folder: string;
  log: Logger;
  nowMs(): number;
}

const ENDING = ".kv";
/** How long a file may take to be written and recorded, by this process or the one before it. */
const STRAY_MS = 10 * 60_000;
/** Nobody has so many conversations; a folder that holds more was not written by this program. */
const FILES_MAX = 10_000;

/**
 * The prompts of ended engines on disk: `<folder>/<model>/<fingerprint>/<id>.kv`, each with its
 * record `<id>.kv.json`. They hold conversations, so only their owner can read them. A file appears
 * under its name when it is whole, and counts once its record is there; what a crash left behind is
 * removed after a while.
 */
export class PromptStore {
  readonly #options: PromptStoreOptions;
  readonly #files = new Map<string, PromptFile>();
  #opening: Promise<void> | undefined;

  constructor(options: PromptStoreOptions) {
    this.#options = options;
  }

  /** Reads what is there, once. Never throws: what cannot be read is as if it were not there. */
  open(): Promise<void> {
    this.#opening ??= this.#scan(this.#options.folder);
    return this.#opening;
  }

  /** Sees what another process has kept for an owner: the node that this one follows. */
  async refresh(owner: PromptOwner): Promise<void> {
    await this.open();
    await this.#scan(this.#folderOf(owner));
  }

  /** The files of an owner, those that were used last first. */
  filesOf({ model, fingerprint }: PromptOwner): PromptFile[] {
    const own = [...this.#files.values()].filter(
      (file) => file.model === model && file.fingerprint === fingerprint,
    );
    return own.sort((a, b) => b.usedMs - a.usedMs);
  }

  /** All files. */
  get files(): readonly PromptFile[] {
    return [...this.#files.values()];
  }

  file(path: string): PromptFile | undefined {
    return this.#files.get(path);
  }

  /** Makes an empty file to write a prompt into. Throws if the disk refuses. */
  async create(owner: PromptOwner): Promise<string> {
    const folder = this.#folderOf(owner);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${randomUUID()}.part`);
    await writeFile(path, "", { mode: 0o600, flag: "wx" });
    return path;
  }

  /** Keeps what was written into a file of `create`. Throws if it is not there, or not whole. */
  async keep(
    owner: PromptOwner,
    part: string,
    facts: Pick<PromptFile, "tokens" | "bytes" | "usPerToken">,
  ): Promise<void> {
    const { size } = await stat(part);
    if (size !== facts.bytes) throw new Error(`${part} has ${size} bytes, not ${facts.bytes}`);
    const path = part.replace(/\.part$/, ENDING);
    const file = { path, ...owner, ...facts, usedMs: this.#options.nowMs() };
    await rename(part, path);
    await writeRecord(file);
    this.#files.set(path, file);
  }

  /** A file was read: it is wanted. */
  async touch(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) return;
    file.usedMs = this.#options.nowMs();
    await writeRecord(file).catch(() => undefined); // Only its place among the others is lost.
  }

  /** Removes files, or what was to become one. Never throws. */
  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      this.#files.delete(path);
      await rm(`${path}.json`, { force: true }).catch(() => undefined);
      await rm(path, { force: true }).catch((err: unknown) => {
        this.#options.log.warn({ err, file: path }, "prompts.not_removed");
      });
      await rmdir(dirname(path)).catch(() => undefined); // It has other files.
    }
  }

  /** Removes all that is kept of a model. Never throws. */
  async removeModel(model: string): Promise<void> {
    await this.open();
    for (const { path, ...file } of this.files) if (file.model === model) this.#files.delete(path);
    await this.#removeFolder(join(this.#options.folder, nameOf(model)));
  }

  /** Removes everything. Never throws. */
  async clear(): Promise<void> {
    this.#files.clear();
    if (existsSync(this.#options.folder)) await this.#removeFolder(this.#options.folder);
  }

  /** Removes those that were not used for longest, until `wantedBytes` more fit the budget. */
  async makeRoom(wantedBytes: number, budgetBytes: number): Promise<void> {
    const gone = decideRemovals(this.files, { wantedBytes, budgetBytes });
    await this.remove(gone.map(({ path }) => path));
  }

  #folderOf({ model, fingerprint }: PromptOwner): string {
    return join(this.#options.folder, nameOf(model), fingerprint);
  }

  async #removeFolder(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true }).catch((err: unknown) => {
      this.#options.log.warn({ err, folder }, "prompts.not_removed");
    });
  }

  async #scan(folder: string): Promise<void> {
    if (!existsSync(folder)) return;
    try {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const entry of entries.slice(0, 2 * FILES_MAX)) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && !this.#files.has(path)) await this.#look(path);
      }
    } catch (err) {
      this.#options.log.warn({ err }, "prompts.unreadable");
    }
  }

  /** Takes up a file with its record. What has not become such a pair for long is removed. */
  async #look(path: string): Promise<void> {
    const isRecord = path.endsWith(`${ENDING}.json`) && existsSync(path.slice(0, -".json".length));
    if (isRecord || (path.endsWith(ENDING) && (await this.#read(path)))) return;
    const file = await stat(path).catch(() => undefined); // It may have gone with another one.
    if (file && Date.now() - file.mtimeMs > STRAY_MS) await this.remove([path]);
  }

  /** Whether a file has its record, and is as long as that says. */
  async #read(path: string): Promise<boolean> {
    const text = await readFile(`${path}.json`, "utf8").catch(() => "");
    const { data } = PromptRecord.safeParse(parseObject(text));
    const file = await stat(path).catch(() => undefined);
    if (data === undefined || data.bytes !== file?.size) return false;
    const { model, tokens, bytes, us_per_token: usPerToken, used_ms: usedMs } = data;
    const fingerprint = dirname(path).split(/[\\/]/).at(-1) ?? "";
    this.#files.set(path, { path, model, fingerprint, tokens, bytes, usPerToken, usedMs });
    return true;
  }
}

/** Does not wait for the disk: what a crash leaves is told by sizes, and by the file's own hash. */
async function writeRecord({ path, model, tokens, bytes, usPerToken, usedMs }: PromptFile) {
  const record: z.infer<typeof PromptRecord> = {
    ...{ model, tokens, bytes, us_per_token: usPerToken, used_ms: usedMs },
  };
  const whole = `${path}.json.new`;
  await writeFile(whole, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(whole, `${path}.json`);
}

/** A model's id can be anything; the name of its folder cannot. */
function nameOf(model: string): string {
  return createHash("sha256").update(model).digest("hex").slice(0, 32);
}
