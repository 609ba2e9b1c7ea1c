import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { createApp } from "../http/server/app.ts";
import { Drain } from "../http/server/drain.ts";
import { createLogger } from "../lib/log.ts";
import { ApiError, type Dialect, type ErrorKind, errorBody, errorFrame } from "./error.ts";

interface Expected {
  status: number;
  /** As OpenAI and Anthropic call it. */
  openai: string;
  anthropic: string;
  /** Whether clients ask again by themselves. */
  again: boolean;
}

const told = (status: number, openai: string, anthropic: string, again: boolean): Expected => {
  return { status, openai, anthropic, again };
};
const INVALID = "invalid_request_error";
const GONE = "service_unavailable";

/** Every kind: the compiler asks for those that are missing. */
const KINDS: Record<ErrorKind, Expected> = {
  invalid_request: told(400, INVALID, INVALID, false),
  unauthorized: told(401, "authentication_error", "authentication_error", false),
  forbidden: told(403, "permission_error", "permission_error", false),
  not_found: told(404, "not_found_error", "not_found_error", false),
  model_not_found: told(404, INVALID, "not_found_error", false),
  method_not_allowed: told(405, INVALID, INVALID, false),
  conflict: told(409, INVALID, INVALID, false),
  body_too_large: told(413, INVALID, "request_too_large", false),
  unsupported_media_type: told(415, INVALID, INVALID, false),
  tool_call_failed: told(422, INVALID, INVALID, false),
  rate_limited: told(429, "rate_limit_error", "rate_limit_error", true),
  quota_exceeded: told(429, "insufficient_quota", "rate_limit_error", false),
  client_closed: told(499, INVALID, INVALID, false),
  internal: told(500, "server_error", "api_error", true),
  not_implemented: told(501, "server_error", "api_error", false),
  upstream: told(502, GONE, "api_error", true),
  misconfigured: told(502, GONE, "api_error", false),
  engine_crashed: told(502, GONE, "api_error", true),
  model_not_loaded: told(503, GONE, "overloaded_error", true),
  model_load_failed: told(503, GONE, "overloaded_error", false),
  unavailable: told(503, GONE, "overloaded_error", true),
  no_endpoint: told(503, GONE, "overloaded_error", true),
  insufficient_memory: told(507, "server_error", "api_error", false),
  storage_full: told(507, "server_error", "api_error", false),
  storage_unavailable: told(503, GONE, "overloaded_error", true),
  draining: told(503, GONE, "overloaded_error", true),
  timeout: told(504, "server_error", "timeout_error", true),
  loop_detected: told(508, GONE, "api_error", false),
};
const ALL = Object.entries(KINDS) as [ErrorKind, Expected][];

const MESSAGE = "The request failed: it is a test. Do not mind.";
/** Short, for clients that wait as long as they are told to. */
const OPTIONS = { param: "model", retryAfterS: 0.001 };

describe.each(ALL)("%s", (kind, { status, openai, anthropic, again }) => {
  const error = new ApiError(kind, MESSAGE, OPTIONS);
  const openaiError = { message: MESSAGE, type: openai, code: kind, param: "model" };
  const bodies: Record<Dialect, object> = {
    openai: { error: openaiError },
    responses: { error: openaiError },
    anthropic: { type: "error", error: { type: anthropic, message: MESSAGE } },
    ollama: { error: MESSAGE },
  };

  test.each(Object.entries(bodies) as [Dialect, object][])("as %s words it", (dialect, body) => {
    expect(errorBody(error, dialect)).toEqual(body);
    const frame = errorFrame(error, dialect);
    expect(JSON.parse(frame.replace(/^(event: error\n)?data: /, ""))).toMatchObject(body);
    expect(frame.endsWith(dialect === "ollama" ? "}\n" : "}\n\n")).toBe(true);
  });

  test("as OpenAI's client knows it, which asks again only if that is of use", async () => {
    const { calls, fetch } = serverOf(kind);
    const client = new OpenAI({ baseURL: "http://a/v1", apiKey: "none", maxRetries: 1, fetch });
    const request = { model: "m", messages: [] };
    const thrown = await thrownBy(client.chat.completions.create(request));
    if (!(thrown instanceof OpenAI.APIError)) throw thrown;
    expect([thrown.status, thrown.code, thrown.type]).toEqual([status, kind, openai]);
    expect(thrown.message).toBe(`${status} ${MESSAGE}`);
    expect(thrown.requestID).toStartWith("req_");
    expect(calls).toHaveLength(again ? 2 : 1);
  });

  test("as Anthropic's client knows it, which asks again only if that is of use", async () => {
    const { calls, fetch } = serverOf(kind);
    const options = { baseURL: "http://a", apiKey: "none", authToken: null, maxRetries: 1 };
    const client = new Anthropic({ ...options, fetch });
    const request = { model: "m", max_tokens: 1, messages: [] };
    const thrown = await thrownBy(client.messages.create(request));
    if (!(thrown instanceof Anthropic.APIError)) throw thrown;
    expect([thrown.status, thrown.type]).toEqual([status, anthropic as typeof thrown.type]);
    expect(thrown.requestID).toStartWith("req_");
    expect(calls).toHaveLength(again ? 2 : 1);
  });

  test("as Ollama's client knows it", async () => {
    const client = new Ollama({ host: "http://a", fetch: serverOf(kind).fetch });
    const thrown = await thrownBy(client.chat({ model: "m", messages: [] }));
    expect(thrown).toMatchObject({ name: "ResponseError", error: MESSAGE, status_code: status });
  });
});

test("every kind is thrown somewhere", async () => {
  const sources = new Bun.Glob("**/*.ts").scan({ cwd: `${import.meta.dir}/..`, absolute: true });
  const texts: string[] = [];
  for await (const path of sources) {
    if (/\.(test|fixture)\.ts$|\/wire\/error\.ts$/.test(path)) continue;
    texts.push(await Bun.file(path).text());
  }
  const all = texts.join("\n");
  const thrown = (kind: string) => new RegExp(`((Error|refused)\\(|kind:)\\s*"${kind}"`).test(all);
  expect(ALL.map(([kind]) => kind).filter((kind) => !thrown(kind))).toEqual([]);
});

/** An app whose every route fails in this way, for clients that bring their own `fetch`. */
function serverOf(kind: ErrorKind, options: ConstructorParameters<typeof ApiError>[2] = OPTIONS) {
  const calls: string[] = [];
  const app = createApp({ log: createLogger({ level: "silent" }), drain: new Drain() });
  app.all("/*", (c) => {
    calls.push(c.req.path);
    throw new ApiError(kind, MESSAGE, options);
  });
  const answer = async (...asked: Parameters<typeof fetch>) => app.fetch(new Request(...asked));
  const fetched: typeof fetch = Object.assign(answer, fetch);
  return { calls, fetch: fetched };
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
