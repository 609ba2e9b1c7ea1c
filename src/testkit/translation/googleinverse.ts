import type { ChatMessage, ChatRequest } from "../../wire/chat.ts";
import type { GoogleContent, GooglePart, GoogleRequest } from "../../wire/google.ts";

/** Translates a request to Google back to a chat completion, to compare it with the original. */
export function chatOf(request: GoogleRequest, model: string, streams: boolean): ChatRequest {
  const { contents, systemInstruction, generationConfig: config = {} } = request;
  const system: ChatMessage[] = systemInstruction
    ? [{ role: "system", content: systemInstruction.parts.map(partOf) as never }]
    : [];
  const { responseMimeType, responseJsonSchema: schema, thinkingConfig: thinking } = config;
  return clean({
    model,
    messages: [...system, ...contents.flatMap(messagesOf)],
    stream: streams || undefined,
    max_completion_tokens: config.maxOutputTokens,
    temperature: config.temperature,
    top_p: config.topP,
    top_k: config.topK,
    stop: config.stopSequences,
    seed: config.seed,
    n: config.candidateCount,
    presence_penalty: config.presencePenalty,
    frequency_penalty: config.frequencyPenalty,
    logprobs: config.responseLogprobs,
    top_logprobs: config.logprobs,
    response_format:
      schema !== undefined
        ? { type: "json_schema", json_schema: { name: "answer", schema } }
        : responseMimeType && { type: "json_object" },
    reasoning_effort: thinking && (thinking.includeThoughts ? thinking.thinkingLevel : "none"),
    tools: request.tools?.[0]?.functionDeclarations.map((declared) => ({
      type: "function",
      function: clean({
        name: declared.name,
        description: declared.description,
        parameters: declared.parametersJsonSchema,
      }),
    })),
    tool_choice: choiceOf(request),
  }) as ChatRequest;
}

function choiceOf({ toolConfig }: GoogleRequest): unknown {
  const calling = toolConfig?.functionCallingConfig;
  const [name] = calling?.allowedFunctionNames ?? [];
  if (name !== undefined) return { type: "function", function: { name } };
  return calling && { AUTO: "auto", ANY: "required", NONE: "none" }[calling.mode];
}

function messagesOf({ role, parts }: GoogleContent): object[] {
  const answers = parts.filter((part) => part.functionResponse !== undefined);
  if (answers.length > 0) return answers.map(answerOf);
  if (role === "user") return [{ role, content: parts.map(partOf) }];
  const thought = parts.find((part) => part.thought)?.text;
  const texts = parts.filter((part) => part.text !== undefined && part.thought !== true);
  const calls = parts.filter((part) => part.functionCall !== undefined).map(callOf);
  const said = texts.filter((part) => part.text !== "").map(partOf);
  return [
    clean({
      role: "assistant",
      content: said.length > 0 ? said : undefined,
      reasoning_content: thought,
      tool_calls: calls.length > 0 ? calls : undefined,
      ...signatureOf(texts.at(-1)),
    }),
  ];
}

function answerOf({ functionResponse: answer }: GooglePart): object {
  const { id, response = {} } = answer ?? {};
  const text = "output" in response ? response.output : JSON.stringify(response);
  return { role: "tool", tool_call_id: id, content: [{ type: "text", text }] };
}

function callOf(part: GooglePart): object {
  const { id, name, args } = part.functionCall ?? {};
  const called = { name, arguments: JSON.stringify(args) };
  return { id, type: "function", function: called, ...signatureOf(part) };
}

function signatureOf(part: GooglePart | undefined): object {
  const signature = part?.thoughtSignature;
  if (signature === undefined || signature === "skip_thought_signature_validator") return {};
  return { extra_content: { google: { thought_signature: signature } } };
}

function partOf({ text, inlineData, fileData }: GooglePart): object {
  if (fileData !== undefined) return { type: "image_url", image_url: { url: fileData.fileUri } };
  if (inlineData === undefined) return { type: "text", text };
  const { mimeType, data } = inlineData;
  const url = `data:${mimeType};base64,${data}`;
  if (mimeType.startsWith("image/")) return { type: "image_url", image_url: { url } };
  if (!mimeType.startsWith("audio/")) return { type: "file", file: { file_data: url } };
  return { type: "input_audio", input_audio: { data, format: mimeType.slice("audio/".length) } };
}

function clean(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
