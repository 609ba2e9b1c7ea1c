import type { ChatOptions } from "./chat.ts";
import {
  type Conversation,
  type Lane,
  type Picture,
  type Step,
  waitsForResults,
  withLane,
  withResult,
} from "./conversation.ts";
import { type OutgoingChat, requestOf } from "./request.ts";

/** A conversation, and which of its lanes are answered now. */
export interface RoomState {
  conversation: Conversation;
  /** Of the last turn. */
  running: readonly number[];
}

export interface RoomParts {
  ask(request: OutgoingChat, options: ChatOptions): Promise<Step>;
  /** Is told of every change that is to be kept. */
  keep(conversation: Conversation): void;
  /** Calls once in a while, so that not every piece of an answer draws the page anew. */
  schedule?: (run: () => void) => void;
}

export interface Place {
  at: number;
  lane: number;
}

/** Pieces of an answer are shown together, so often. */
const SHOW_MS = 60;
/** What has come of an answer is kept so often. */
const KEEP_MS = 3000;

/** A conversation in which is talked. */
export class Room {
  #state: RoomState;
  readonly #parts: RoomParts;
  readonly #schedule: (run: () => void) => void;
  readonly #listeners = new Set<() => void>();
  readonly #controllers = new Map<number, AbortController>();
  #keptAtMs = 0;

  constructor(conversation: Conversation, parts: RoomParts) {
    this.#state = { conversation, running: [] };
    this.#parts = parts;
    this.#schedule = parts.schedule ?? ((run) => setTimeout(run, SHOW_MS));
  }

  get state(): RoomState {
    return this.#state;
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes who is asked, and how; or the title. */
  change(changes: Partial<Pick<Conversation, "targets" | "settings" | "title">>): void {
    this.#keep({ ...this.#state.conversation, ...changes });
  }

  /** Says something; with `at`, in place of what was said there and all after it. */
  say(said: { text: string; images: readonly Picture[] }, at?: number): void {
    const { conversation } = this.#state;
    this.stop();
    const { isJson, targets } = asked(conversation);
    const lanes = targets.map(({ model }): Lane => ({ model, isJson, steps: [] }));
    const turn = { text: said.text, images: [...said.images], lanes };
    const before = conversation.turns.slice(0, at ?? conversation.turns.length);
    this.#keep({ ...conversation, turns: [...before, turn] });
    for (const lane of lanes.keys()) void this.#answer({ at: before.length, lane });
  }

  /** Asks again for a lane's answer; what was said after that turn goes. */
  regenerate({ at, lane }: Place): void {
    const { conversation } = this.#state;
    const turn = conversation.turns[at];
    if (turn === undefined) return;
    this.#controllers.get(lane)?.abort();
    const { isJson, targets } = asked(conversation);
    const model = (targets[lane] ?? targets[0])?.model ?? "";
    const turns = conversation.turns.slice(0, at + 1);
    this.#keep(withLane({ ...conversation, turns }, { at, lane }, { model, isJson, steps: [] }));
    void this.#answer({ at, lane });
  }

  /** Says what a call gave; once all are known, the model goes on. */
  giveResult({ at, lane }: Place, callId: string, result: string): void {
    const { conversation } = this.#state;
    const known = conversation.turns[at]?.lanes[lane];
    if (known === undefined) return;
    const changed = withResult(known, callId, result);
    this.#keep(withLane(conversation, { at, lane }, changed));
    const isLast = at === conversation.turns.length - 1;
    if (isLast && !waitsForResults(changed)) void this.#answer({ at, lane });
  }

  /** Keeps what has come so far of answers that are under way. */
  keepNow(): void {
    if (this.#controllers.size > 0) this.#keep(this.#state.conversation);
  }

  /** Ends the answers that are under way; what has come of them stays. */
  stop(): void {
    for (const controller of this.#controllers.values()) controller.abort();
  }

  /** Ends them, and keeps nothing of them: the conversation is to be removed. */
  abandon(): void {
    this.stop();
    this.#controllers.clear();
  }

  async #answer({ at, lane }: Place): Promise<void> {
    const controller = new AbortController();
    const { conversation } = this.#state;
    const before = conversation.turns[at]?.lanes[lane];
    if (before === undefined) return;
    this.#controllers.set(lane, controller);
    this.#setRunning();
    // Where it was asked again, or something else was said, this one is nobody's any more.
    const isMine = () => this.#controllers.get(lane) === controller;
    let latest: Step | undefined;
    let isScheduled = false;
    const show = () => {
      isScheduled = false;
      if (latest === undefined || !isMine()) return;
      this.#set(this.#withStep({ at, lane }, before, latest));
      if (Date.now() - this.#keptAtMs > KEEP_MS) this.#keep(this.#state.conversation);
    };
    const onStep = (step: Step) => {
      latest = step;
      if (!isScheduled) this.#schedule(show);
      isScheduled = true;
    };
    const request = requestOf(conversation, at, lane);
    const step = await this.#parts.ask(request, { signal: controller.signal, onStep });
    latest = undefined;
    if (!isMine()) return;
    this.#controllers.delete(lane);
    this.#keep(this.#withStep({ at, lane }, before, step));
    this.#setRunning();
  }

  #withStep(place: Place, before: Lane, step: Step): Conversation {
    const lane = { ...before, steps: [...before.steps, step] };
    return withLane(this.#state.conversation, place, lane);
  }

  #keep(conversation: Conversation): void {
    this.#keptAtMs = Date.now();
    const changed = { ...conversation, updatedAt: this.#keptAtMs };
    this.#set(changed);
    this.#parts.keep(changed);
  }

  #setRunning(): void {
    this.#state = { ...this.#state, running: [...this.#controllers.keys()] };
    this.#tell();
  }

  #set(conversation: Conversation): void {
    this.#state = { ...this.#state, conversation };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function asked({ targets, settings }: Conversation) {
  return { targets, isJson: settings.format !== "text" };
}
