import { readExactJson } from "../../../lib/json.ts";
import { type ChatAnswer, type RudeCall, TEXT } from "./answer.ts";
import type { ShapeChange } from "./shapes.ts";

/** Wrong or unusual shapes of answers that call tools. */
export const CALL_SHAPES: Readonly<Record<string, ShapeChange>> = {
  "arguments as an object": (answer) => {
    joinCalls(answer);
    for (const call of [...wholeCalls(answer), ...pieces(answer)]) {
      call.function.arguments = exactJson(String(call.function.arguments));
    }
  },
  "calls without a type": (answer) => {
    for (const call of [...wholeCalls(answer), ...pieces(answer)]) delete call.type;
  },
  "calls with null for id and type": (answer) => {
    for (const call of [...wholeCalls(answer), ...pieces(answer)]) {
      Object.assign(call, { id: null, type: null });
    }
  },
  "a call's id in every piece": inPieces((call, number) => {
    call.id = `call_${number + 1}`;
  }),
  "a call's id that changes from piece to piece": (answer) => {
    for (const [i, call] of pieces(answer).entries()) call.id ??= `other_${i}`;
  },
  "a call's id behind its name": inPieces((call, number) => {
    call.id = call.id === undefined ? `call_${number + 1}` : null;
  }),
  "a call's name behind its id": (answer) => {
    const names = namesOf(answer);
    inPieces((call, number) => {
      if (call.id !== undefined) delete call.function.name;
      else call.function.name = names[number] ?? "";
    })(answer);
  },
  "a call's name and type in every piece": (answer) => {
    const names = namesOf(answer);
    inPieces((call, number) => {
      call.type = "function";
      call.function.name = names[number] ?? "";
    })(answer);
  },
  "pieces of calls without an index": inPieces((call) => {
    delete call.index;
  }),
  "pieces of calls with null for an index": inPieces((call) => {
    call.index = null;
  }),
  "pieces of calls without index and id": inPieces((call) => {
    delete call.index;
    delete call.id;
  }),
  "pieces of calls that all have the same index": inPieces((call) => {
    call.index = 0;
  }),
  "numbers of calls that begin at 1": inPieces((call, number) => {
    call.index = number + 1;
  }),
  "whole calls in one chunk, without an index": (answer) => {
    joinCalls(answer);
    inPieces((call) => {
      delete call.index;
    })(answer);
  },
  "whole calls in a chunk each, without index and id": (answer) => {
    joinCalls(answer);
    const at = answer.chunks.findIndex(hasCalls);
    const each = pieces(answer).map(({ index: _, id: __, ...call }) => ({
      ...answer.chunks[at],
      choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: null }],
    }));
    answer.chunks.splice(at, 1, ...each);
  },
  "an end with `stop` behind calls": ({ chunks, whole }) => {
    for (const choice of [...chunks, whole].flatMap(({ choices }) => choices ?? [])) {
      if (choice.finish_reason !== null) choice.finish_reason = "stop";
    }
  },
};

/** Calls behind words. */
export const wordsBeforeCalls: ShapeChange = ({ chunks, whole }) => {
  const [delta, message] = [chunks[0]?.choices?.[0]?.delta, whole.choices?.[0]?.message];
  Object.assign(delta ?? {}, { content: TEXT });
  Object.assign(message ?? {}, { content: TEXT });
};

function wholeCalls({ whole }: ChatAnswer): RudeCall[] {
  return whole.choices?.[0]?.message?.tool_calls ?? [];
}

/** The pieces of the calls of a stream. */
function pieces({ chunks }: ChatAnswer): RudeCall[] {
  return chunks.flatMap(({ choices }) => choices?.[0]?.delta?.tool_calls ?? []);
}

function inPieces(change: (call: RudeCall, number: number) => void): ShapeChange {
  return (answer) => {
    for (const call of pieces(answer)) change(call, call.index ?? 0);
  };
}

function namesOf(answer: ChatAnswer): string[] {
  return wholeCalls(answer).map((call) => call.function.name ?? "");
}

function hasCalls({ choices }: ChatAnswer["whole"]): boolean {
  return choices?.[0]?.delta?.tool_calls !== undefined;
}

/** One chunk with the whole calls in place of those with their pieces. */
function joinCalls(answer: ChatAnswer): void {
  const { chunks } = answer;
  const at = chunks.findIndex(hasCalls);
  const calls = structuredClone(wholeCalls(answer)).map((call, index) => ({ index, ...call }));
  const choices = [{ index: 0, delta: { tool_calls: calls }, finish_reason: null }];
  chunks.splice(at, chunks.filter(hasCalls).length, { ...chunks[at], choices });
}

/** An object with the digits that JSON would lose. */
function exactJson(text: string): unknown {
  return (readExactJson(`[${text}]`) as unknown[])[0];
}
