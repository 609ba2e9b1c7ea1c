import type { Conversation, Lane, Settings, Step, Turn } from "./conversation.ts";

/** A request for a chat completion, as it goes out. */
export interface OutgoingChat {
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

/**
 * What is asked for the next answer of a lane to the turn at this place. A lane that has no answer
 * to an earlier turn, as when a second model joins later, takes the first model's.
 */
export function requestOf(conversation: Conversation, at: number, lane: number): OutgoingChat {
  const { settings, targets, turns } = conversation;
  const { model, endpoint } = targets[lane] ?? targets[0] ?? { model: "", endpoint: "" };
  const system = settings.system.trim();
  const messages = [
    ...(system === "" ? [] : [{ role: "system", content: settings.system }]),
    ...turns.slice(0, at + 1).flatMap((turn, i) => {
      const own = turn.lanes[lane];
      return messagesOf(turn, i === at ? own : (own ?? turn.lanes[0]));
    }),
  ];
  return {
    body: {
      ...{ model, messages, stream: true, stream_options: { include_usage: true } },
      ...parametersOf(settings),
      ...toolsOf(settings),
      ...formatOf(settings),
    },
    headers: endpoint === "" ? {} : { "x-llmlb-endpoint": encodeURIComponent(endpoint) },
  };
}

function messagesOf({ text, images }: Turn, lane: Lane | undefined): object[] {
  const content =
    images.length === 0
      ? text
      : [
          ...(text === "" ? [] : [{ type: "text", text }]),
          ...images.map(({ url }) => ({ type: "image_url", image_url: { url } })),
        ];
  return [{ role: "user", content }, ...(lane?.steps ?? []).flatMap(stepMessages)];
}

/** Calls without a result are left out, and so is a step of which nothing is left. */
function stepMessages({ content, calls }: Step): object[] {
  const done = calls.filter(({ result }) => result !== null);
  if (content === "" && done.length === 0) return [];
  if (done.length === 0) return [{ role: "assistant", content }];
  const tool_calls = done.map(({ id, name, arguments: args }) => ({
    ...{ id, type: "function", function: { name, arguments: args } },
  }));
  return [
    { role: "assistant", content: content === "" ? null : content, tool_calls },
    ...done.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result })),
  ];
}

function parametersOf(settings: Settings): Record<string, unknown> {
  const stop = settings.stop.split("\n").filter((line) => line !== "");
  const effort = settings.reasoningEffort;
  return {
    ...numberField("temperature", settings.temperature),
    ...numberField("top_p", settings.topP),
    ...numberField("max_tokens", settings.maxTokens),
    ...(stop.length === 0 ? {} : { stop }),
    ...numberField("seed", settings.seed),
    ...numberField("presence_penalty", settings.presencePenalty),
    ...numberField("frequency_penalty", settings.frequencyPenalty),
    ...(effort === "" ? {} : { reasoning_effort: effort }),
  };
}

/** What is no number goes as it is: the server says what is wrong with it. */
function numberField(name: string, text: string): Record<string, unknown> {
  const trimmed = text.trim();
  if (trimmed === "") return {};
  const value = Number(trimmed);
  return { [name]: Number.isNaN(value) ? trimmed : value };
}

function toolsOf({ tools, toolChoice }: Settings): Record<string, unknown> {
  if (tools.length === 0) return {};
  const name = toolChoice.startsWith("tool:") ? toolChoice.slice(5) : undefined;
  const isThere = tools.some((tool) => tool.name === name);
  const choice =
    name === undefined ? toolChoice : isThere ? { type: "function", function: { name } } : "auto";
  return {
    tools: tools.map((tool) => ({
      type: "function",
      function: {
        name: tool.name,
        ...(tool.description === "" ? {} : { description: tool.description }),
        parameters: JSON.parse(tool.parameters) as unknown,
      },
    })),
    ...(choice === "auto" ? {} : { tool_choice: choice }),
  };
}

function formatOf({ format, schema }: Settings): Record<string, unknown> {
  if (format === "text") return {};
  if (format === "json" || schema === "") return { response_format: { type: "json_object" } };
  const json_schema = { name: "answer", strict: true, schema: JSON.parse(schema) as unknown };
  return { response_format: { type: "json_schema", json_schema } };
}
