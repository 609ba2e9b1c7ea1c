import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AnswerSample, TAIL_BYTES } from "./answersample.ts";
import { estimateAnswerTokens, estimatePromptTokens } from "./estimate.ts";
import { endsInError, readUsage } from "./usage.ts";

function sampleOf(text: string, { headMax = 4096, cuts = [] as number[] } = {}): AnswerSample {
  const sample = new AnswerSample(headMax);
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let at = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    sample.push(bytes.subarray(at, end));
    at = end;
  }
  return sample;
}

const read = (text: string) => readUsage(sampleOf(text));
const sse = (...events: unknown[]) =>
  events.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join("");

const CHAT = { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 };
const CHAT_READ = { input: 12, output: 7, cached: null };
const LONG = "x".repeat(3 * TAIL_BYTES);

describe("token counts of a JSON answer", () => {
  test("are OpenAI's, with what was cached", () => {
    const usage = { ...CHAT, prompt_tokens_details: { cached_tokens: 4 } };
    const choices = [{ message: { content: LONG } }];
    expect(read(JSON.stringify({ choices, usage }))).toEqual({ ...CHAT_READ, cached: 4 });
    expect(read(JSON.stringify({ choices, usage }, null, 2))).toEqual({ ...CHAT_READ, cached: 4 });
  });

  test("are those of the Responses API, before what it repeats of the request", () => {
    const usage = { input_tokens: 5, input_tokens_details: { cached_tokens: 0 }, output_tokens: 9 };
    const body = { output: [{ text: LONG }], tools: [], usage, user: null, metadata: { a: "b" } };
    expect(read(JSON.stringify(body))).toEqual({ input: 5, output: 9, cached: 0 });
  });

  test("are Anthropic's, where cached tokens are not part of the others", () => {
    const usage = {
      ...{ input_tokens: 3, cache_read_input_tokens: 100, cache_creation_input_tokens: 10 },
      output_tokens: 2,
    };
    expect(read(JSON.stringify({ content: [], usage }))).toEqual({
      ...{ input: 113, output: 2, cached: 100 },
    });
  });

  test("of embeddings have no output, and may stand before the numbers", () => {
    const usage = { prompt_tokens: 6, total_tokens: 6 };
    const data = [{ embedding: Array.from({ length: 5000 }, (_, i) => i / 7) }];
    const expected = { input: 6, output: 0, cached: null };
    expect(read(JSON.stringify({ data, usage }))).toEqual(expected);
    expect(read(JSON.stringify({ object: "list", usage, data }))).toEqual(expected);
  });

  test("may be followed by llama-server's timings, or be those alone", () => {
    const timings = { cache_n: 2, prompt_n: 10, predicted_n: 7, predicted_ms: 1.5 };
    expect(read(JSON.stringify({ usage: CHAT, id: "x", timings }))).toEqual(CHAT_READ);
    expect(read(JSON.stringify({ id: "x", timings }))).toEqual({ input: 12, output: 7, cached: 2 });
  });

  test("are Google's, where thoughts are counted beside what was said", () => {
    const usageMetadata = {
      ...{ promptTokenCount: 8, candidatesTokenCount: 5, thoughtsTokenCount: 3 },
      ...{ cachedContentTokenCount: 2, toolUsePromptTokenCount: 1, totalTokenCount: 17 },
      promptTokensDetails: [{ modality: "TEXT", tokenCount: 8 }],
    };
    const candidates = [{ content: { parts: [{ text: LONG }] } }];
    const body = { candidates, usageMetadata, modelVersion: "g", responseId: "r" };
    expect(read(JSON.stringify(body, null, 2))).toEqual({ input: 9, output: 8, cached: 2 });
    const embeddings = { embeddings: [{ values: [1] }], usageMetadata: { promptTokenCount: 4 } };
    expect(read(JSON.stringify(embeddings))).toEqual({ input: 4, output: null, cached: null });
  });

  test("are Ollama's", () => {
    const message = { role: "assistant", content: `${LONG}"eval_count":9}` };
    const counts = { prompt_eval_count: 26, prompt_eval_duration: 1, eval_count: 298 };
    const body = { model: "m", message, done: true, ...counts, eval_duration: 5 };
    expect(read(JSON.stringify(body))).toEqual({ input: 26, output: 298, cached: null });
    const embedded = { model: "m", embeddings: [[1, 2]], prompt_eval_count: 8 };
    expect(read(JSON.stringify(embedded))).toEqual({ input: 8, output: null, cached: null });
    const nested = { message: { tool_calls: [{ arguments: { eval_count: 7 } }] } };
    expect(read(JSON.stringify(nested))).toBeUndefined();
  });

  test("of a transcription are told in tokens, or there are none", () => {
    const usage = { type: "tokens", input_tokens: 14, output_tokens: 45, total_tokens: 59 };
    expect(read(JSON.stringify({ text: "a", usage }))).toMatchObject({ input: 14, output: 45 });
    const duration = { type: "duration", seconds: 9 };
    expect(read(JSON.stringify({ text: "a", usage: duration }))).toBeUndefined();
  });

  test("are not what a text, a tool or a schema calls so", () => {
    const quoted = JSON.stringify({ usage: CHAT });
    const lookalikes = [
      { text: quoted },
      { text: '"usage"' },
      { usage: null },
      { usage: "usage" },
      { usage: { prompt_tokens: -1, completion_tokens: "7" } },
      { usage: { type: "object" } },
      { usage: { prompt_tokens: 1.5e300 } },
      { content: [{ input: { usage: { input_tokens: 1, output_tokens: 1 } } }] },
    ];
    for (const lookalike of lookalikes) {
      expect(read(JSON.stringify(lookalike))).toBeUndefined();
      expect(read(JSON.stringify({ usage: CHAT, more: lookalike }))).toEqual(CHAT_READ);
    }
    expect(read(`{"a":${'{"usage":{'.repeat(400)}`)).toBeUndefined();
    expect(read('{"usage":{"prompt_tokens":1,"completion_tokens":2')).toBeUndefined();
    for (const text of ["", "{", "null", '"usage":{}', "<html>", `{"usage":${"{".repeat(9000)}`]) {
      expect(read(text)).toBeUndefined();
    }
  });
});

describe("token counts of a stream", () => {
  const delta = (content: string) => ({ choices: [{ delta: { content } }], usage: null });

  test("are in the last chunk of a chat", () => {
    const deltas = Array.from({ length: 500 }, () => delta("tok"));
    expect(read(sse(...deltas, { choices: [], usage: CHAT }, "[DONE]"))).toEqual(CHAT_READ);
    const timings = { cache_n: 0, prompt_n: 12, predicted_n: 7 };
    expect(read(sse(...deltas, { ...delta(""), timings }, "[DONE]"))).toEqual({
      ...{ input: 12, output: 7, cached: 0 },
    });
    expect(read(sse(...deltas, "[DONE]"))).toBeUndefined();
  });

  test("are in the last event of Google's", () => {
    const event = (text: string, counts: object) => ({
      candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0 }],
      usageMetadata: { promptTokenCount: 4, ...counts },
      modelVersion: "g",
    });
    const events = Array.from({ length: 300 }, (_, i) => event("tok", { candidatesTokenCount: i }));
    const last = event("", { candidatesTokenCount: 300, thoughtsTokenCount: 20 });
    expect(read(sse(...events, last))).toEqual({ input: 4, output: 320, cached: null });
  });

  test("are in the last line of Ollama's, all there is of it", () => {
    const line = (content: string) => `${JSON.stringify({ message: { content }, done: false })}\n`;
    const counts = {
      done: true,
      context: Array(3000).fill(1),
      prompt_eval_count: 5,
      eval_count: 7,
    };
    const text = line("tok").repeat(500);
    expect(read(`${text}${JSON.stringify(counts)}\n`)).toEqual({
      input: 5,
      output: 7,
      cached: null,
    });
    const cached = `${text}${JSON.stringify({ done: true, eval_count: 7 })}\n`;
    expect(read(cached)).toEqual({ input: null, output: 7, cached: null });
    expect(read(text)).toBeUndefined();
    expect(estimateAnswerTokens(sampleOf(text, { headMax: 100_000 }))).toBe(500);
    expect(endsInError(sampleOf(`${text}{"error":"no memory"}\n`))).toBe(true);
    expect(endsInError(sampleOf(text + line('{"error":"no"}')))).toBe(false);
    expect(endsInError(sampleOf(text))).toBe(false);
  });

  test("are in the last event of a response", () => {
    const response = { output: LONG, usage: { input_tokens: 1, output_tokens: 2 }, user: null };
    const text = `event: response.completed\n${sse({ type: "response.completed", response })}`;
    expect(read(text)).toEqual({ input: 1, output: 2, cached: null });
  });

  test("are at both ends of an Anthropic message", () => {
    const message = {
      ...{ id: "m", content: [], model: "m" },
      usage: { input_tokens: 3, cache_read_input_tokens: 8, output_tokens: 1 },
    };
    const start = { type: "message_start", message };
    const text = { type: "content_block_delta", delta: { text: '"usage":{"output_tokens":9}' } };
    const end = { type: "message_delta", delta: {}, usage: { output_tokens: 40 } };
    const body = sse(start, ...Array.from({ length: 300 }, () => text), end, { type: "stop" });
    expect(read(body)).toEqual({ input: 11, output: 40, cached: 8 });
    expect(estimateAnswerTokens(sampleOf(sse(start, text, text)))).toBe(2);
  });

  test("are the same however the bytes are cut", () => {
    const text = sse(...Array.from({ length: 99 }, () => delta("é")), { choices: [], usage: CHAT });
    const cuts = fc.array(fc.nat(), { maxLength: 200 });
    fc.assert(
      fc.property(cuts, fc.constantFrom(0, 1, 100, 65_536), (cuts, headMax) => {
        const sample = sampleOf(text, { cuts, headMax });
        const bytes = Buffer.from(text);
        expect(sample.bytes).toBe(bytes.length);
        expect(sample.head.equals(bytes.subarray(0, headMax))).toBeTrue();
        expect(bytes.subarray(-sample.tail.length).equals(sample.tail)).toBeTrue();
        expect(sample.tail.length).toBeGreaterThanOrEqual(Math.min(TAIL_BYTES, bytes.length));
        if (headMax > 0) expect(readUsage(sample)).toEqual(CHAT_READ);
      }),
      { numRuns: 300 },
    );
  });

  test("never throw, whatever the bytes are", () => {
    const words = fc.constantFrom('"usage"', ":", "{", "}", '"', "\\", "data: ", "\n", "7", "x");
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 60 }), (parts) => {
        const sample = sampleOf(parts.join(""));
        readUsage(sample);
        endsInError(sample);
        expect(estimateAnswerTokens(sample)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  test("are looked for in bounded time", () => {
    const sample = sampleOf(`{${'"usage":{"a":'.repeat(20_000)}`);
    const startMs = performance.now();
    for (let i = 0; i < 100; i += 1) readUsage(sample);
    expect(performance.now() - startMs).toBeLessThan(1000);
  });
});

describe("an error at the end of a stream", () => {
  test("is seen in every dialect, and not in a text", () => {
    const error = { error: { message: "out of memory" } };
    expect(endsInError(sampleOf(sse({ a: 1 }, error)))).toBeTrue();
    expect(endsInError(sampleOf(`data: {}\n\nevent: error\n${sse(error)}`))).toBeTrue();
    expect(endsInError(sampleOf(`event: response.failed\n${sse({})}`))).toBeTrue();
    expect(endsInError(sampleOf(sse({ text: '\nevent: error\ndata: {"error":{' })))).toBeFalse();
    expect(endsInError(sampleOf(JSON.stringify(error)))).toBeFalse();
    expect(endsInError(sampleOf(""))).toBeFalse();
  });
});

describe("an estimate", () => {
  test("of a prompt does not count attachments", () => {
    const text = "word ".repeat(400);
    const url = `data:image/png;base64,${"A".repeat(100_000)}`;
    const plain = estimatePromptTokens(Buffer.from(JSON.stringify({ prompt: text })));
    expect(plain).toBeGreaterThan(450);
    expect(plain).toBeLessThan(550);
    const both = estimatePromptTokens(
      Buffer.from(JSON.stringify({ prompt: text, a: url, b: url })),
    );
    expect(both - plain).toBeLessThan(30);
  });

  test("of a stream counts its events, also those that were not kept", () => {
    const delta = { choices: [{ index: 0, delta: { content: "tok" } }] };
    const text = sse(...Array.from({ length: 1003 }, () => delta));
    expect(estimateAnswerTokens(sampleOf(text, { headMax: 1e6 }))).toBe(1000);
    const guess = estimateAnswerTokens(sampleOf(text));
    expect(guess).toBeGreaterThan(900);
    expect(guess).toBeLessThan(1100);
  });
});
