import type { Page } from "playwright-core";
import { SETTINGS } from "../dashboard/screens/playground/conversation.ts";
import { type Look, openPage } from "./openpage.ts";
import { Program } from "./program.ts";
import { type ScriptedEndpoint, scriptedEndpoint, scriptedStream } from "./servers/scripted.ts";

/** The model of the scripted endpoint. */
export const SCRIPTED = "scripted-large";

/** A program with its own node and a scripted endpoint, `gpu-1`, whose playground is looked at. */
export class Playground {
  readonly endpoint: ScriptedEndpoint;
  readonly #program: Program;
  readonly #chromium: string;

  private constructor(program: Program, endpoint: ScriptedEndpoint, chromium: string) {
    this.#program = program;
    this.endpoint = endpoint;
    this.#chromium = chromium;
  }

  /** Starts it. `chromium` is the browser's path. */
  static async start(chromium: string): Promise<Playground> {
    const endpoint = scriptedEndpoint(SCRIPTED);
    try {
      const program = await Program.start({ args: ["--endpoint", `gpu-1=${endpoint.url}`] });
      return new Playground(program, endpoint, chromium);
    } catch (cause) {
      endpoint[Symbol.dispose]();
      throw cause;
    }
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    this.endpoint[Symbol.dispose]();
  }

  /** Opens it in a browser of its own, by default with the scripted model. */
  async open(query = `?model=${SCRIPTED}`, look: Partial<Look> = {}) {
    const opened = await openPage(this.#chromium, this.#program.url, look);
    await opened.page.goto(`/dashboard/playground${query}`);
    await composer(opened.page).waitFor();
    return opened;
  }

  /** The next request of the scripted model is answered by these. */
  answer(...deltas: object[]): void {
    this.endpoint.next.push(() => scriptedStream(SCRIPTED, { deltas }));
  }

  /** Imports a conversation, "A long one", of so many questions and answers. */
  async importLong(page: Page, turns: number): Promise<void> {
    const conversation = {
      ...{ id: "long", title: "A long one", updatedAt: Date.now(), settings: SETTINGS },
      targets: [{ model: SCRIPTED, endpoint: "" }],
      turns: Array.from({ length: turns }, (_, i) => ({
        text: `Question ${i}`,
        lanes: [{ model: SCRIPTED, steps: [{ content: `Answer ${i}` }] }],
      })),
    };
    const file = { format: "llmlb-conversations", version: 1, conversations: [conversation] };
    await page.locator('.bench-foot input[type="file"]').setInputFiles({
      ...{ name: "long.json", mimeType: "application/json" },
      buffer: Buffer.from(JSON.stringify(file)),
    });
  }
}

/** Where a message is written. */
export function composer(page: Page) {
  return page.locator(".composer textarea");
}

/** Writes a message and sends it. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.keyboard.press("Enter");
}
