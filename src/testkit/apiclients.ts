import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { generateText, jsonSchema, streamText, tool } from "ai";
import { Ollama, type ToolCall as OllamaCall } from "ollama";
import OpenAI from "openai";
import type { ChatCompletionChunk, ChatCompletionMessage } from "openai/resources/chat/completions";
import { parseJson } from "../lib/json.ts";
import { says } from "./clients.ts";

/** What a client asks. */
export interface ApiQuestion {
  model: string;
  streams: boolean;
  /** Default: what any model can say something about. */
  prompt?: string;
  /** Names of functions that it offers; any arguments will do. */
  tools?: readonly string[];
}

/** What a client of any API is told, in the same words for all. */
export interface ApiReply {
  text: string;
  thoughts: string;
  calls: { name: string; arguments: unknown }[];
  /** The API's own word for the end. */
  stop: string | null | undefined;
  /** Tokens in and out. */
  usage: [number | undefined, number | undefined];
}

/** An official client, which sends each request once. */
export interface ApiClient {
  /** Throws the client's own error where there is no answer. */
  ask(question: ApiQuestion): Promise<ApiReply>;
  /** The class of its errors for answers that say that they failed. */
  failure: new (
    ...args: never[]
  ) => Error;
}

const PROMPT = "What do you know of it?";
const SCHEMA = { type: "object" as const, properties: {}, additionalProperties: true };

/** The official clients by the names of their APIs, towards a program's address. */
export function apiClients(url: string) {
  return {
    chat: chatClient(url),
    responses: responsesClient(url),
    messages: messagesClient(url),
    ollama: ollamaClient(url),
    ai: aiClient(url),
  } satisfies Record<string, ApiClient>;
}

function openaiAt(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
}

function chatClient(url: string): ApiClient {
  const client = openaiAt(url);
  return {
    failure: OpenAI.APIError,
    async ask({ model, streams, tools, prompt = PROMPT }) {
      const offered = tools?.map((name) => ({
        ...({ type: "function", function: { name, parameters: SCHEMA } } as const),
      }));
      const request = { model, messages: says(prompt), ...(offered ? { tools: offered } : {}) };
      if (!streams) {
        const { choices, usage } = await client.chat.completions.create(request);
        const choice = choices[0];
        return {
          ...chatMessage(choice?.message),
          stop: choice?.finish_reason,
          usage: [usage?.prompt_tokens, usage?.completion_tokens],
        };
      }
      const stream_options = { include_usage: true };
      const stream = await client.chat.completions.create({
        ...{ ...request, stream: true, stream_options },
      });
      return chatStream(await Array.fromAsync(stream));
    },
  };
}

function chatMessage(message: ChatCompletionMessage | undefined): Omit<ApiReply, "stop" | "usage"> {
  const calls = message?.tool_calls ?? [];
  return {
    text: textOf(message?.content),
    thoughts: "",
    calls: calls.flatMap((call) =>
      call.type === "custom"
        ? []
        : [{ name: call.function.name, arguments: argumentsOf(call.function.arguments) }],
    ),
  };
}

/** Puts chunks together as most programs do: by the index. */
function chatStream(chunks: ChatCompletionChunk[]): ApiReply {
  const choices = chunks.flatMap((one) => one.choices?.[0] ?? []);
  const calls: { name: string; text: string }[] = [];
  for (const piece of choices.flatMap(({ delta }) => delta?.tool_calls ?? [])) {
    calls[piece.index] ??= { name: "", text: "" };
    const call = calls[piece.index];
    if (call === undefined) continue;
    call.name ||= piece.function?.name ?? "";
    call.text += piece.function?.arguments ?? "";
  }
  const usage = chunks.findLast((one) => one.usage)?.usage;
  return {
    text: choices.map(({ delta }) => textOf(delta?.content)).join(""),
    thoughts: "",
    calls: calls.filter(Boolean).map(({ name, text }) => ({ name, arguments: argumentsOf(text) })),
    stop: choices.findLast((choice) => choice.finish_reason)?.finish_reason,
    usage: [usage?.prompt_tokens, usage?.completion_tokens],
  };
}

function responsesClient(url: string): ApiClient {
  const client = openaiAt(url);
  return {
    failure: OpenAI.APIError,
    async ask({ model, streams, tools, prompt = PROMPT }) {
      const offered = tools?.map((name) => ({
        ...({ type: "function", name, parameters: SCHEMA, strict: false } as const),
      }));
      const request = { model, input: prompt, ...(offered ? { tools: offered } : {}) };
      const response = streams
        ? await client.responses.stream(request).finalResponse()
        : await client.responses.create(request);
      const { output, usage } = response;
      const thoughts = output.flatMap((item) =>
        item.type === "reasoning" ? (item.content ?? []) : [],
      );
      return {
        text: response.output_text,
        thoughts: thoughts.map(({ text }) => text).join(""),
        calls: output.flatMap((item) =>
          item.type === "function_call"
            ? [{ name: item.name, arguments: argumentsOf(item.arguments) }]
            : [],
        ),
        stop: response.incomplete_details?.reason ?? response.status,
        usage: [usage?.input_tokens, usage?.output_tokens],
      };
    },
  };
}

function messagesClient(url: string): ApiClient {
  const client = new Anthropic({ baseURL: url, apiKey: "none", authToken: null, maxRetries: 0 });
  return {
    failure: Anthropic.APIError,
    async ask({ model, streams, tools, prompt = PROMPT }) {
      const offered = tools?.map((name) => ({ name, input_schema: SCHEMA }));
      const more = offered ? { tools: offered } : {};
      const request = { model, max_tokens: 200, messages: says(prompt), ...more };
      const { content, stop_reason, usage } = streams
        ? await client.messages.stream(request).finalMessage()
        : await client.messages.create(request);
      return {
        text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
        thoughts: content
          .map((block) => (block.type === "thinking" ? block.thinking : ""))
          .join(""),
        calls: content.flatMap((block) =>
          block.type === "tool_use" ? [{ name: block.name, arguments: block.input }] : [],
        ),
        stop: stop_reason,
        usage: [usage.input_tokens + (usage.cache_read_input_tokens ?? 0), usage.output_tokens],
      };
    },
  };
}

function ollamaClient(url: string): ApiClient {
  const client = new Ollama({ host: url });
  return {
    // Its own class is for answers that fail at once; a stream's failure is a plain error.
    failure: Error,
    async ask({ model, streams, tools, prompt = PROMPT }) {
      const offered = tools?.map((name) => ({
        ...{ type: "function", function: { name, description: "", parameters: SCHEMA } },
      }));
      const request = { model, messages: says(prompt), ...(offered ? { tools: offered } : {}) };
      const pieces = streams
        ? await Array.fromAsync(await client.chat({ ...request, stream: true }))
        : [await client.chat(request)];
      const messages = pieces.map(({ message }) => message);
      const last = pieces.at(-1);
      return {
        text: messages.map(({ content }) => content).join(""),
        thoughts: messages.map(({ thinking }) => thinking ?? "").join(""),
        calls: messages.flatMap((message) => message.tool_calls ?? []).map(calledOf),
        stop: last?.done_reason,
        usage: [last?.prompt_eval_count, last?.eval_count],
      };
    },
  };
}

function aiClient(url: string): ApiClient {
  const provider = createOpenAICompatible({
    ...{ name: "llmlb", baseURL: `${url}/v1`, apiKey: "none", includeUsage: true },
  });
  return {
    failure: Error,
    async ask({ model, streams, tools, prompt = PROMPT }) {
      const offered = tools?.map((name) => [name, tool({ inputSchema: jsonSchema(SCHEMA) })]);
      const more = offered ? { tools: Object.fromEntries(offered) } : {};
      const request = { model: provider(model), prompt, maxRetries: 0, ...more };
      if (!streams) return aiReply(await generateText(request));
      let failure: unknown;
      const stream = streamText({
        ...request,
        onError: ({ error }) => {
          failure = error;
        },
      });
      for await (const part of stream.fullStream) if (part.type === "error") failure = part.error;
      if (failure !== undefined) throw failure;
      const [text, reasoningText, toolCalls] = [
        stream.text,
        stream.reasoningText,
        stream.toolCalls,
      ];
      return aiReply({
        ...{ text: await text, reasoningText: await reasoningText, toolCalls: await toolCalls },
        ...{ finishReason: await stream.finishReason, usage: await stream.usage },
      });
    },
  };
}

/** Without the number that calls have, too. */
function calledOf({ function: { name, arguments: args } }: OllamaCall): ApiReply["calls"][number] {
  return { name, arguments: args };
}

interface AiResult {
  text: string;
  reasoningText: string | undefined;
  toolCalls: readonly { toolName: string; input: unknown }[];
  finishReason: string;
  usage: { inputTokens: number | undefined; outputTokens: number | undefined };
}

function aiReply({ text, reasoningText, toolCalls, finishReason, usage }: AiResult): ApiReply {
  return {
    ...{ text, thoughts: reasoningText ?? "", stop: finishReason },
    calls: toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
    usage: [usage.inputTokens, usage.outputTokens],
  };
}

/** A text, or what parts of one say. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return typeof content === "string" ? content : "";
  return content.map((part: { text?: unknown }) => textOf(part?.text)).join("");
}

function argumentsOf(text: unknown): unknown {
  if (text === "") return {};
  return typeof text === "string" ? (parseJson(text) ?? text) : text;
}
