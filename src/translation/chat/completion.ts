import { ChatCompletion } from "../../wire/chat.ts";
import { parseAnswer, unreadableAnswer } from "../validation.ts";
import { refuseFailed } from "./chunk.ts";

/** What was answered: clients of other APIs want one choice. */
export type CompletionChoice = ChatCompletion["choices"][number];

/**
 * A whole chat completion and its first choice. Throws `upstream` if it makes no sense or has no
 * choice, and the error that the choice tells of.
 */
export function parseChatCompletion(json: unknown): {
  completion: ChatCompletion;
  choice: CompletionChoice;
} {
  const completion = parseAnswer(ChatCompletion, json);
  const choice = completion.choices[0];
  if (choice === undefined) throw unreadableAnswer("it has no choices");
  refuseFailed(choice);
  return { completion, choice };
}
