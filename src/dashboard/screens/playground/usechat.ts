import { useEffect, useRef, useState } from "react";
import { errorMessage } from "../../../lib/errormessage.ts";
import { streamChat } from "./chat.ts";
import {
  type Conversation,
  keepConversation,
  keptConversation,
  type Message,
  requestOf,
} from "./conversation.ts";

export interface Chat {
  conversation: Conversation;
  isAnswering: boolean;
  change(changes: Partial<Conversation>): void;
  /** Says something; with `at`, in place of what was said there and all after it. */
  say(text: string, at?: number): void;
  /** Asks again for the answer at this place. */
  regenerate(at: number): void;
  stop(): void;
}

/** A conversation, and what goes on in it. */
export function useChat(): Chat {
  const [conversation, setConversation] = useState<Conversation>(keptConversation);
  const [isAnswering, setAnswering] = useState(false);
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  useEffect(() => {
    if (!isAnswering) keepConversation(conversation);
  }, [conversation, isAnswering]);

  const answer = async (asked: Conversation) => {
    const controller = new AbortController();
    running.current = controller;
    setAnswering(true);
    let message: Message = { role: "assistant", content: "", thinking: "" };
    const show = (changes: Partial<Message>) => {
      message = { ...message, ...changes };
      const shown = message;
      setConversation((now) => ({ ...now, messages: [...asked.messages, shown] }));
    };
    show({});
    try {
      const timings = await streamChat(requestOf(asked), {
        signal: controller.signal,
        onPiece: ({ content, thinking }) =>
          show({ content: message.content + content, thinking: message.thinking + thinking }),
      });
      show({ timings });
    } catch (error) {
      if (!controller.signal.aborted) {
        show({ error: errorMessage(error) });
      }
    } finally {
      // Nobody may be looking any more.
      keepConversation({ ...asked, messages: [...asked.messages, message] });
      setAnswering(false);
    }
  };
  const goOn = (messages: readonly Message[]) => {
    const asked = { ...conversation, messages: [...messages] };
    setConversation(asked);
    keepConversation(asked);
    void answer(asked);
  };
  return {
    conversation,
    isAnswering,
    change: (changes) => setConversation((now) => ({ ...now, ...changes })),
    say: (content, at = conversation.messages.length) =>
      goOn([...conversation.messages.slice(0, at), { role: "user", content, thinking: "" }]),
    regenerate: (at) => goOn(conversation.messages.slice(0, at)),
    stop: () => running.current?.abort(),
  };
}
