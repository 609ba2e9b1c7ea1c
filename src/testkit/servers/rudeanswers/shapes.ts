import type { ChatAnswer, RudeBody, RudeChoice, RudeMessage } from "./answer.ts";

/** Changes an answer in place. */
export type ShapeChange = (answer: ChatAnswer) => void;

/** Wrong or unusual shapes of answers of all kinds, which still say all. */
export const ANSWER_SHAPES: Readonly<Record<string, ShapeChange>> = {
  "a finish reason that is empty until the end": inChoices((choice) => {
    choice.finish_reason ??= "";
  }),
  "a finish reason `null` in letters until the end": inChoices((choice) => {
    choice.finish_reason ??= "null";
  }),
  "a finish reason of its own": inChoices((choice) => {
    if (choice.finish_reason === "stop") choice.finish_reason = "eos";
  }),
  "the finish reason in every chunk": (answer) => {
    const reason = answer.whole.choices?.[0]?.finish_reason ?? null;
    inChoices((choice) => {
      choice.finish_reason = reason;
    })(answer);
  },
  "each piece as the text of a completion, too": inChoices((choice) => {
    if (choice.delta) choice.text = choice.delta.content ?? "";
  }),
  "choices that are null beside usage": (answer) => {
    lastOf(answer).choices = null;
  },
  "no choices beside usage": (answer) => {
    delete lastOf(answer).choices;
  },
  "a first chunk without choices": ({ chunks }) => {
    chunks.unshift({ choices: [], created: 0, id: "", prompt_filter_results: [] });
  },
  "a delta that is null at the end": inChoices((choice) => {
    if (choice.delta && choice.finish_reason !== null) choice.delta = null;
  }),
  "no delta at the end": inChoices((choice) => {
    if (choice.finish_reason !== null) delete choice.delta;
  }),
  "usage that is null or empty before it is told": ({ chunks }) => {
    for (const [i, chunk] of chunks.entries()) chunk.usage ??= i % 2 === 0 ? null : {};
  },
  "usage with nulls in it": (answer) => {
    const nothing = { total_tokens: null, prompt_tokens_details: null };
    const details = { completion_tokens_details: { reasoning_tokens: null } };
    for (const { usage } of all(answer)) if (usage) Object.assign(usage, nothing, details);
  },
  "ids, names and roles that are null": (answer) => {
    for (const one of all(answer)) Object.assign(one, { id: null, model: null, object: null });
    inChoices((choice) => {
      saidIn(choice).role = null;
    })(answer);
  },
  "a time and numbers as text": (answer) => {
    for (const one of all(answer)) one.created = "1700000000";
    inChoices((choice) => {
      choice.index = "0";
    })(answer);
  },
  "a time with a fraction": (answer) => {
    for (const one of all(answer)) one.created = 1_700_000_000.25;
  },
  "no number, time or id at all": (answer) => {
    for (const one of all(answer)) for (const name of ["id", "created", "object"]) delete one[name];
    inChoices((choice) => {
      delete choice.index;
    })(answer);
  },
  "null for all that is not said": inChoices((choice) => {
    const said = saidIn(choice);
    for (const name of UNSAID) said[name] ??= null;
    choice.logprobs = null;
  }),
  "tool calls that are an empty list": inChoices((choice) => {
    saidIn(choice).tool_calls ??= [];
  }),
  "content in parts": inChoices((choice) => {
    const said = saidIn(choice);
    if (typeof said.content === "string") said.content = [{ type: "text", text: said.content }];
  }),
  "usage and the finish reason along with the last words": ({ chunks }) => {
    const [usage, finish, last] = [chunks.pop(), chunks.pop(), chunks.at(-1)];
    const choice = last?.choices?.[0];
    if (choice === undefined) throw new Error("there is no chunk before the end");
    choice.finish_reason = finish?.choices?.[0]?.finish_reason ?? null;
    Object.assign(last ?? {}, { usage: usage?.usage });
  },
  "usage so far in every chunk": (answer) => {
    const { usage } = lastOf(answer);
    for (const [i, chunk] of answer.chunks.entries()) {
      chunk.usage ??= { ...usage, completion_tokens: i };
    }
  },
  "an error of nothing everywhere": (answer) => {
    for (const one of all(answer)) one.error = null;
    inChoices((choice) => {
      choice.error = {};
    })(answer);
  },
  "all in one chunk": ({ chunks, whole }) => {
    const [choice] = structuredClone(whole.choices ?? []);
    const { message = {}, finish_reason = null } = choice ?? {};
    const { tool_calls, ...said } = message;
    const calls = tool_calls?.map((call, index) => ({ index, ...call }));
    const delta = calls === undefined ? said : { ...said, tool_calls: calls };
    const made = { choices: [{ index: 0, delta, finish_reason }], usage: whole.usage ?? null };
    chunks.splice(0, chunks.length, { ...chunks[0], ...made });
  },
};

const UNSAID = [
  ...["content", "refusal", "tool_calls", "function_call", "reasoning_content", "reasoning"],
  ...["annotations", "audio"],
];

/** Content in parts, with a thought in front of it. */
export const thoughtsInParts: ShapeChange = ({ chunks, whole }) => {
  const thought = { type: "thinking", thinking: [{ type: "text", text: THOUGHT }], closed: true };
  const delta = { role: "assistant", content: [thought] };
  const choices = [{ index: 0, delta, finish_reason: null }];
  chunks.unshift({ ...structuredClone(chunks[0]), choices });
  const message = whole.choices?.[0]?.message;
  if (message === undefined) return;
  const { content } = message;
  message.content = [thought, ...(typeof content === "string" ? [textPart(content)] : [])];
};

/** What is thought there. */
export const THOUGHT = "hmm";

function textPart(text: string) {
  return { type: "text", text };
}

function all({ chunks, whole }: ChatAnswer): RudeBody[] {
  return [...chunks, whole];
}

function lastOf({ chunks }: ChatAnswer): RudeBody {
  const last = chunks.at(-1);
  if (last === undefined) throw new Error("the stream has no chunks");
  return last;
}

function saidIn(choice: RudeChoice): RudeMessage {
  const said = choice.message ?? choice.delta;
  if (said == null) throw new Error("the choice says nothing");
  return said;
}

function inChoices(change: (choice: RudeChoice) => void): ShapeChange {
  return (answer) => {
    for (const { choices } of all(answer)) for (const choice of choices ?? []) change(choice);
  };
}
