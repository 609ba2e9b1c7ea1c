import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../engine/engine.ts";
import type { PromptFileEvent } from "../../engine/messages.ts";
import { withDeadline } from "../../lib/deadline.ts";
import type { Logger } from "../../lib/log.ts";
import { type ComputedPrompt, decideSaves, tokensWorthReading } from "./decision.ts";
import { PromptCounts } from "./promptcounts.ts";
import { listPrompts, offerPrompts, type QuestionLimits, savePrompt } from "./question.ts";
import { Speed } from "./speed.ts";
import { type PromptFile, type PromptOwner, PromptStore } from "./store.ts";

export interface PromptDiskOptions {
  /** The data folder. */
  home: string;
  /** Most bytes of all files; null: a tenth of what the disk has free, at most 20 GiB. 0: none. */
  budgetBytes: number | null;
  log: Logger;
  nowMs(): number;
}

/** Whether an engine has written all in time. Who waits for one that has not ends it at once. */
export type SaveOutcome = "done" | "late";

const BUDGET_PART = 1 / 10;
/** Others need the disk as well, however large the budget is. */
const DISK_PART = 1 / 2;
const BUDGET_BYTES_MAX = 20 * 2 ** 30;
/** The files that an engine may read: it keeps their tokens in memory. */
const OFFERED_MAX = 64;
const OFFER_MS_MAX = 5000;

/**
 * Keeps the prompts of engines that end, and lets the next engine of the same model read them back:
 * a conversation goes on without its beginning being computed anew. What is written is decided in
 * `decision.ts`, and which file a request needs by the engine itself, token by token, when the
 * request comes. Whatever goes wrong here costs time, never an answer: no method throws.
 */
export class PromptDisk {
  readonly #options: PromptDiskOptions;
  readonly #store: PromptStore;
  readonly #writing = new Speed();
  readonly #reading = new Speed();
  readonly counts = new PromptCounts();
  #budget: Promise<number> | undefined;

  constructor(options: PromptDiskOptions) {
    this.#options = options;
    const { home, log, nowMs } = options;
    this.#store = new PromptStore({ folder: join(home, "prompts"), log, nowMs });
  }

  /** Begins to read what is there; removes it if nothing is to be kept any more. */
  start(): void {
    void (this.#options.budgetBytes === 0 ? this.#store.clear() : this.#store.open());
  }

  get files(): readonly PromptFile[] {
    return this.#store.files;
  }

  /** Tells an engine that was just loaded which files it may read. */
  async offer(engine: Engine, owner: PromptOwner): Promise<void> {
    if (this.#options.budgetBytes === 0) return;
    await this.#store.refresh(owner);
    const files = this.#store.filesOf(owner).flatMap((file) => this.#offerOf(file));
    if (files.length === 0) return;
    const limits = { timeoutMs: OFFER_MS_MAX, signal: AbortSignal.timeout(OFFER_MS_MAX) };
    try {
      const { offered, damaged } = await offerPrompts(engine, files.slice(0, OFFERED_MAX), limits);
      this.#options.log.info({ model: owner.model, prompts: offered }, "prompts.offered");
      for (const path of damaged) await this.#discard(owner.model, path);
    } catch (err) {
      this.#options.log.warn({ err, model: owner.model }, "prompts.not_offered");
    }
  }

  /** Writes the prompts of an engine that is about to end, for at most `withinMs`. */
  async save(engine: Engine, owner: PromptOwner, withinMs: number): Promise<SaveOutcome> {
    if (this.#options.budgetBytes === 0) return "done";
    const { log } = this.#options;
    const leaving = new AbortController();
    const work = this.#saveAll(engine, owner, { timeoutMs: withinMs, signal: leaving.signal });
    const outcome = await withDeadline(
      work.catch((err: unknown) => log.warn({ err, model: owner.model }, "prompts.not_saved")),
      { timeoutMs: withinMs },
    );
    leaving.abort(new Error(`it took longer than ${withinMs} ms`));
    return outcome === "timeout" ? "late" : "done";
  }

  /** What an engine did with a file that it was offered. */
  async happened(model: string, event: PromptFileEvent): Promise<void> {
    const { file, outcome, tokens = 0, bytes = 0, ms = 0 } = event;
    if (outcome === "restored") {
      this.#reading.measured(bytes, ms);
      this.counts.restored(model, tokens);
      this.#options.log.info({ model, tokens, bytes, ms: Math.round(ms) }, "prompts.restored");
      await this.#store.touch(file);
    } else if (this.#store.file(file) !== undefined) {
      this.#options.log.warn({ model, file, why: event.why }, `prompts.${outcome}`);
      if (outcome === "damaged") await this.#discard(model, file);
    }
  }

  /** Removes what is kept of a model that is gone. */
  async removeModel(model: string): Promise<void> {
    await this.#store.removeModel(model);
  }

  #offerOf(file: PromptFile): { file: string; tokens_min: number }[] {
    const { usPerToken } = file;
    const least = tokensWorthReading(file, { usPerToken, bytesPerMs: this.#reading.bytesPerMs });
    return least === undefined ? [] : [{ file: file.path, tokens_min: least }];
  }

  async #saveAll(engine: Engine, owner: PromptOwner, limits: QuestionLimits): Promise<void> {
    const { log, nowMs } = this.#options;
    const startMs = nowMs();
    const { prompts, prompt_us_per_token: measured } = await listPrompts(engine, limits);
    await this.#store.open();
    // The last tokens of a prompt that was read back are dearer than those of a whole one.
    const earlier = this.#store.filesOf(owner).map(({ usPerToken }) => usPerToken);
    const usPerToken = Math.min(measured, ...earlier);
    const budgetBytes = await this.#budgetOnce();
    const chosen = decideSaves({
      prompts,
      write: this.#writing,
      read: { usPerToken, bytesPerMs: this.#reading.bytesPerMs },
      withinMs: limits.timeoutMs - (nowMs() - startMs),
      roomBytes: Math.min(budgetBytes, await this.#diskBytes(DISK_PART)),
    });
    let bytes = 0;
    for (const prompt of chosen) {
      limits.signal.throwIfAborted();
      await this.#store.makeRoom(prompt.bytes, budgetBytes);
      bytes += await this.#saveOne(engine, { owner, prompt, usPerToken }, limits);
    }
    if (chosen.length === 0) return;
    const facts = { prompts: chosen.length, of: prompts.length, bytes, ms: nowMs() - startMs };
    log.info({ model: owner.model, ...facts }, "prompts.saved");
  }

  async #saveOne(
    engine: Engine,
    what: { owner: PromptOwner; prompt: ComputedPrompt; usPerToken: number },
    limits: QuestionLimits,
  ): Promise<number> {
    const { owner, prompt, usPerToken } = what;
    const file = await this.#store.create(owner);
    try {
      const startMs = performance.now();
      const saved = await savePrompt(engine, { key: prompt.key, file }, limits);
      this.#writing.measured(saved.bytes, performance.now() - startMs);
      const { tokens, bytes, replaces } = saved;
      await this.#store.keep(owner, file, { tokens, bytes, usPerToken });
      this.counts.saved(owner.model);
      await this.#store.remove(replaces);
      return bytes;
    } catch (error) {
      await this.#store.remove([file]);
      throw error;
    }
  }

  async #discard(model: string, path: string): Promise<void> {
    this.counts.damaged(model);
    this.#options.log.warn({ model, file: path }, "prompts.damaged");
    await this.#store.remove([path]);
  }

  #budgetOnce(): Promise<number> {
    const { budgetBytes } = this.#options;
    this.#budget ??=
      budgetBytes === null
        ? this.#diskBytes(BUDGET_PART).then((bytes) => Math.min(bytes, BUDGET_BYTES_MAX))
        : Promise.resolve(budgetBytes);
    return this.#budget;
  }

  /** A part of what the disk would have free without the files. */
  async #diskBytes(part: number): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.home);
    const usedBytes = this.files.reduce((sum, { bytes }) => sum + bytes, 0);
    return (usedBytes + bavail * bsize) * part;
  }
}
