import { type ChoiceTranscript, noteTokens, type Transcript } from "./transcript.ts";

/** What else differs from one event to the next, in APIs that number or date them. */
const VARYING = /"(?:sequence_number|created_at)":(?:(\d+)|"[^"]*")/;

/**
 * The shape of a stream's usual event: all but the text in it is the same from one to the next, so
 * that the text can be cut out of the next one, at a fraction of the cost of reading it as JSON.
 */
export class TextTemplate {
  #before = "";
  #behind = "";
  #choice: ChoiceTranscript | undefined;

  /**
   * Reads an event into a transcript: by its shape if that is the usual one, else by `read`, from
   * which the shape is learnt.
   */
  add(to: Transcript, data: string, read: () => void): void {
    const varying = VARYING.exec(data);
    const { index = 0 } = varying ?? {};
    const same =
      varying === null ? data : data.slice(0, index) + data.slice(index + varying[0].length);
    if (this.#addText(to, same)) {
      if (varying?.[1] !== undefined) to.nextNumber = Number(varying[1]) + 1;
      return;
    }
    const choice = to.choice(0);
    const { text, tokensMin } = choice;
    const { chars } = to;
    read();
    const more = choice.text.slice(text.length);
    const isText = to.chars - chars === more.length && choice.tokensMin === tokensMin + 1;
    this.#choice = isText && this.#learn(same, more) ? choice : undefined;
  }

  /** Whether the text stands in the event once. */
  #learn(data: string, text: string): boolean {
    const written = JSON.stringify(text);
    const at = data.indexOf(written);
    if (text === "" || at === -1 || data.indexOf(written, at + 1) !== -1) return false;
    this.#before = data.slice(0, at + 1);
    this.#behind = data.slice(at + written.length - 1);
    return true;
  }

  #addText(to: Transcript, data: string): boolean {
    const [choice, before, behind] = [this.#choice, this.#before, this.#behind];
    const end = data.length - behind.length;
    if (choice === undefined || end <= before.length) return false;
    if (!data.startsWith(before) || !data.endsWith(behind)) return false;
    const text = data.slice(before.length, end);
    if (text.includes('"') || text.includes("\\")) return false;
    choice.text += text;
    noteTokens(choice, text, 1);
    to.chars += text.length;
    return true;
  }
}
