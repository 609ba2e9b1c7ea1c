import fc from "fast-check";

/**
 * What requests of chats and of messages can both say, as arbitraries, in the one form that a
 * translation there and back gives them.
 */
const word = fc.stringMatching(/^[a-z][a-z_]{0,9}$/);
export const someText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const leaf = fc.oneof(
  someText,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant('\\"}{'),
);
const object: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(
  word,
  fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(word, leaf, { maxKeys: 3 })),
  { maxKeys: 3 },
);
const schema = object.map((properties) => ({ type: "object", properties }));
const base64 = fc.uint8Array({ minLength: 1, maxLength: 9 }).map((b) => b.toBase64());
const imageType = fc.constantFrom("image/png", "image/jpeg", "image/gif", "image/webp");
const address = word.map((name) => `https://example.com/${name}.png`);
export const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const partial = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] });

/** A thing that is shown to a model, in the words of both APIs. */
const shown = fc.oneof(
  fc.record({ type: fc.constant("base64"), media_type: imageType, data: base64 }).map((source) => ({
    block: { type: "image", source },
    part: {
      type: "image_url",
      image_url: { url: `data:${source.media_type};base64,${source.data}` },
    },
  })),
  address.map((url) => ({
    block: { type: "image", source: { type: "url", url } },
    part: { type: "image_url", image_url: { url } },
  })),
  fc.tuple(base64, some(word.map((name) => `${name}.pdf`))).map(([data, title]) => ({
    block: {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data },
      ...(title === undefined ? {} : { title }),
    },
    part: {
      type: "file",
      file: {
        filename: title ?? "document.pdf",
        file_data: `data:application/pdf;base64,${data}`,
      },
    },
  })),
);
const spoken = someText.map((said) => ({
  block: { type: "text", text: said },
  part: { type: "text", text: said },
}));
type Shown = { block: { type: string; text?: string }; part: { type: string; text?: string } };

/** A call of a tool. */
export const toolCall = fc.record({ name: word, input: object });
const result = fc.oneof(
  fc.constant([] as string[]),
  fc.array(someText, { minLength: 1, maxLength: 3 }),
);
/** What a user says, and what the assistant answers. */
const exchange = fc.record({
  said: fc.array(fc.oneof<fc.Arbitrary<Shown>[]>(spoken, shown), { minLength: 1, maxLength: 3 }),
  answered: fc.array(someText, { minLength: 1, maxLength: 2 }),
  calls: fc.array(fc.record({ call: toolCall, result }), { maxLength: 3 }),
});

/** One text alone is a string. */
function short(list: { type: string; text?: string }[]): unknown {
  return list.length === 1 && list[0]?.type === "text" ? list[0].text : list;
}

const asText = (said: string) => ({ type: "text", text: said });

/** The same conversation in both APIs. */
const conversation = fc
  .tuple(fc.array(exchange, { maxLength: 3 }), exchange)
  .map(([before, last]) => {
    const messages: unknown[] = [];
    const chat: unknown[] = [];
    let pending: object[] = [];
    for (const [i, { said, answered, calls }] of [...before, last].entries()) {
      const blocks = said.map(({ block }) => block);
      messages.push({
        role: "user",
        content: pending.length === 0 ? short(blocks) : [...pending, ...blocks],
      });
      chat.push({ role: "user", content: short(said.map(({ part }) => part)) });
      if (i === before.length) break;
      const ids = calls.map((_, n) => `toolu_${i}_${n}`);
      const uses = calls.map((c, n) => ({ type: "tool_use", id: ids[n], ...c.call }));
      const answer = answered.map(asText);
      messages.push({
        role: "assistant",
        content: uses.length === 0 ? short(answer) : [...answer, ...uses],
      });
      const tool_calls = calls.map(({ call: { name, input } }, n) => {
        const called = { name, arguments: JSON.stringify(input) };
        return { id: ids[n], type: "function", function: called };
      });
      const done = tool_calls.length === 0 ? {} : { tool_calls };
      chat.push({ role: "assistant", content: short(answer), ...done });
      pending = calls.map((c, n) => {
        const content = short(c.result.map(asText));
        chat.push({
          role: "tool",
          tool_call_id: ids[n],
          content: c.result.length === 0 ? "" : content,
        });
        const told = c.result.length === 0 ? {} : { content };
        return { type: "tool_result", tool_use_id: ids[n], ...told };
      });
    }
    return { messages, chat };
  });

const effort = fc.constantFrom("low", "medium", "high", "xhigh", "max");
const choice = fc.constantFrom("auto", "any", "tool", "none");
const tool = fc.tuple(
  word,
  schema,
  partial({ description: someText, strict: fc.boolean() }) as fc.Arbitrary<object>,
);

const settings = partial({
  temperature: fc.constantFrom(0, 0.5, 1),
  top_p: fc.constantFrom(0.1, 1),
  top_k: fc.nat(100),
});

/** A request in both APIs' words. */
export const request = fc
  .record({
    conversation,
    settings,
    max_tokens: fc.integer({ min: 1, max: 9000 }),
    system: some(someText),
    stops: fc.array(someText, { maxLength: 2 }),
    user: some(word),
    stream: fc.boolean(),
    thinking: some(fc.oneof(effort, fc.constant("none"))),
    format: some(schema),
    tools: fc.array(tool, { maxLength: 2 }),
    choice: some(choice),
    parallel: some(fc.boolean()),
  })
  .map(accepted)
  .map((r) => ({ messages: asMessages(r), chat: asChat(r) }));

/** Without what Anthropic refuses beside something else. */
function accepted(r: Request): Request {
  const { temperature, top_p, top_k, ...others } = r.settings;
  if (thinksOf(r)) {
    const isForced = r.choice === "any" || r.choice === "tool";
    return { ...r, settings: others, choice: isForced ? "auto" : r.choice };
  }
  return temperature === undefined || top_p === undefined
    ? r
    : { ...r, settings: { ...others, temperature, ...(top_k === undefined ? {} : { top_k }) } };
}

function thinksOf({ thinking }: Request): boolean {
  return thinking !== undefined && thinking !== "none";
}

type Request = {
  conversation: { messages: unknown[]; chat: unknown[] };
  settings: { temperature?: number; top_p?: number; top_k?: number };
  max_tokens: number;
  system: string | undefined;
  stops: string[];
  user: string | undefined;
  stream: boolean;
  thinking: string | undefined;
  format: object | undefined;
  tools: [string, object, object][];
  choice: string | undefined;
  parallel: boolean | undefined;
};

export const MODEL = "claude-opus-4-6";

function asMessages(r: Request): Record<string, unknown> {
  const { thinking, format, parallel } = r;
  const thinks = thinksOf(r);
  const config = {
    ...(thinks ? { effort: thinking } : {}),
    ...(format ? { format: json(format) } : {}),
  };
  const serial = parallel === undefined ? {} : { disable_parallel_tool_use: !parallel };
  const type = r.choice ?? (parallel === undefined ? undefined : "auto");
  const named = type === "tool" ? { name: "f" } : {};
  return {
    model: MODEL,
    max_tokens: r.max_tokens,
    messages: r.conversation.messages,
    ...r.settings,
    ...(r.system === undefined ? {} : { system: r.system }),
    ...(r.stops.length === 0 ? {} : { stop_sequences: r.stops }),
    ...(r.user === undefined ? {} : { metadata: { user_id: r.user } }),
    ...(r.stream ? { stream: true } : {}),
    ...(thinking === undefined ? {} : { thinking: { type: thinks ? "adaptive" : "disabled" } }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...(r.tools.length === 0
      ? {}
      : {
          tools: r.tools.map(([name, input_schema, more]) => ({ name, input_schema, ...more })),
          ...(type === undefined
            ? {}
            : { tool_choice: { type, ...named, ...(type === "none" ? {} : serial) } }),
        }),
  };
}

const json = (of: object) => ({ type: "json_schema", schema: of });
const CHOICES: Record<string, unknown> = {
  auto: "auto",
  none: "none",
  any: "required",
  tool: { type: "function", function: { name: "f" } },
};

function asChat(r: Request): Record<string, unknown> {
  const type = r.choice ?? (r.parallel === undefined ? undefined : "auto");
  const system = r.system === undefined ? [] : [{ role: "system", content: r.system }];
  return {
    model: MODEL,
    max_tokens: r.max_tokens,
    messages: [...system, ...r.conversation.chat],
    ...r.settings,
    ...(r.stops.length === 0 ? {} : { stop: r.stops }),
    ...(r.user === undefined ? {} : { user: r.user }),
    ...(r.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...(r.thinking === undefined ? {} : { reasoning_effort: r.thinking }),
    ...(r.format === undefined
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: { name: "answer", schema: r.format, strict: true },
          },
        }),
    ...(r.tools.length === 0
      ? {}
      : {
          tools: r.tools.map(([name, parameters, more]) => ({
            type: "function",
            function: { name, parameters, ...more },
          })),
          ...(type === undefined ? {} : { tool_choice: CHOICES[type] }),
          ...(r.parallel === undefined || type === "none"
            ? {}
            : { parallel_tool_calls: r.parallel }),
        }),
  };
}
