import { basename } from "node:path";
import type { ChatMessage, ChatPart } from "../../wire/chat.ts";
import type { RunSettings } from "../../wire/runsettings.ts";
import { firstModel } from "../client/modelnames.ts";
import type { Server } from "../client/server.ts";
import { CliError } from "../process/exit.ts";
import { loadWithSettings } from "./load.ts";
import { type AnswerPiece, streamChat } from "./stream.ts";

interface ChatSessionOptions {
  server: Server;
  /** Name of the model; the first that is ready when absent. */
  model?: string;
  /** Instructions before the first message. */
  system?: string;
  /** Further fields of each request, such as `temperature`. */
  fields?: Record<string, unknown>;
}

/** A chat of several turns: its messages so far, and the model. */
export class ChatSession {
  readonly #server: Server;
  #system: ChatMessage[] = [];
  #fields: Record<string, unknown>;
  /** What the model was loaded with. */
  #settings: RunSettings = {};
  #messages: ChatMessage[] = [];
  #images: ChatPart[] = [];
  model: string;

  constructor(options: ChatSessionOptions & { model: string }) {
    const { server, system, model, fields = {} } = options;
    this.#server = server;
    if (system !== undefined) this.instruct(system);
    this.#fields = fields;
    this.model = model;
  }

  /** Goes on with another model; what was said is kept. */
  use(model: string): void {
    this.model = model;
    this.#settings = {};
  }

  /** Sets the instructions before the first message. */
  instruct(system: string): void {
    this.#system = [{ role: "system", content: system }];
  }

  /** Sets further fields of the requests to come. */
  set(fields: Record<string, unknown>): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  /**
   * Loads the model with these settings and those of earlier calls; none: does nothing. Throws
   * `CliError` if it cannot be.
   */
  async load(settings: RunSettings): Promise<void> {
    if (Object.keys(settings).length === 0) return;
    const all = { ...this.#settings, ...settings };
    await loadWithSettings(this.#server, this.model, all);
    this.#settings = all;
  }

  /** Forgets all messages but the instructions. */
  clear(): void {
    this.#messages = [];
    this.#images = [];
  }

  /** Adds a picture to the next question. Throws `CliError` if it cannot be read. */
  async addImage(path: string): Promise<void> {
    this.#images.push({ type: "image_url", image_url: { url: await dataUrl(path) } });
  }

  /**
   * Sends a question and yields the answer as it arrives. An answer that is cut off is kept as far
   * as it came; a question without any answer is forgotten.
   */
  async *ask(question: string, signal: AbortSignal): AsyncGenerator<AnswerPiece> {
    const content: ChatMessage["content"] =
      this.#images.length === 0 ? question : [...this.#images, { type: "text", text: question }];
    const message: ChatMessage = { role: "user", content };
    const messages = [...this.#system, ...this.#messages, message];
    let answer = "";
    try {
      const request = { model: this.model, messages, fields: this.#fields, signal };
      for await (const piece of streamChat(this.#server, request)) {
        if (piece.type === "text") answer += piece.text;
        yield piece;
      }
    } finally {
      if (answer !== "") {
        this.#messages.push(message, { role: "assistant", content: answer });
        this.#images = [];
      }
    }
  }
}

/** Starts a chat. Throws `CliError` if the server does not answer or has no model. */
export async function startChatSession(options: ChatSessionOptions): Promise<ChatSession> {
  const model = options.model ?? (await firstModel(options.server));
  return new ChatSession({ ...options, model });
}

async function dataUrl(path: string): Promise<string> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new CliError(`There is no picture ${path}.`);
  const type = file.type.split(";")[0] ?? "";
  if (!type.startsWith("image/")) {
    throw new CliError(`${basename(path)} is no picture: use a PNG, JPEG, WebP or GIF file.`);
  }
  return `data:${type};base64,${Buffer.from(await file.arrayBuffer()).toString("base64")}`;
}
