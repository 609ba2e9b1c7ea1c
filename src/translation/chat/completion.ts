import { ChatCompletion } from "../../wire/chat.ts";
import { unreadableAnswer } from "../errors.ts";
import { parseAnswer } from "../validation.ts";
import { refuseFailedChoice } from "./chunk.ts";

/** What was answered: clients of other APIs want one choice. */
type CompletionChoice = ChatCompletion["choices"][number];

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
  refuseFailedChoice(choice);
  return { completion, choice };
}
