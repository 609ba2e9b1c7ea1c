import { says, TINY } from "../clients.ts";

/** A request that no server can fulfil, and what is wrong with it. */
export interface Malformed {
  what: string;
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  /** The status that it must get; any 4xx when absent. */
  status?: number;
}

const CHAT = "/v1/chat/completions";
const POSTED = [CHAT, "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages"];
const BOTH = [...POSTED, "/v1/messages/count_tokens"];

/** Bodies larger than this are refused by the program that the specs start. */
export const BODY_LIMIT_BYTES = 1024 * 1024;

/** Every malformed request, once for each path that it concerns. */
export function malformedRequests(): Malformed[] {
  return [
    ...BOTH.flatMap(unreadable),
    ...routes(),
    ...fields(CHAT, { messages: says("Goodbye"), max_tokens: 8 }, CHAT_FIELDS),
    ...fields("/v1/completions", { prompt: "Goodbye", max_tokens: 8 }, COMPLETION_FIELDS),
    ...fields("/v1/embeddings", { input: "Goodbye" }, EMBEDDING_FIELDS),
    ...fields("/v1/responses", { input: "Goodbye", max_output_tokens: 8 }, RESPONSE_FIELDS),
    ...fields("/v1/messages", { messages: says("Goodbye"), max_tokens: 8 }, MESSAGE_FIELDS),
    ...fields("/v1/messages/count_tokens", { messages: says("Goodbye") }, COUNT_FIELDS),
    ...IMAGES.map(image),
  ];
}

const GOOD = JSON.stringify({ model: TINY, messages: says("Goodbye"), input: "Goodbye" });

/** Bodies that are 400, with what is wrong with them. */
function badBodies(good: string): [string, string | Uint8Array<ArrayBuffer>][] {
  return [
    ["nothing", ""],
    ["white space", " \n"],
    ["text", "hello"],
    ["half an object", good.slice(0, -1)],
    ["an array", `[${good}]`],
    ["a string", '"model"'],
    ["null", "null"],
    ["two objects", good + good],
    ["a comma too many", good.replace("}", ",}")],
    ["a NUL byte", `${good}\0`],
    ["invalid UTF-8", bytes(good, 0xff)],
    ["half a UTF-8 sequence", bytes(good, 0xe2, 0x82)],
    ["UTF-16", new Uint8Array(Buffer.from(good, "utf16le"))],
    ["20,000 levels", `{"model":"${TINY}","messages":${nested(20_000)}}`],
    ["200 levels", `{"model":"${TINY}","messages":${nested(200)}}`],
    ["the model twice", good.replace("{", '{"model":"other",')],
    ["a number for a model", '{"model":1}'],
    ["a list of models", `{"model":["${TINY}"]}`],
    ["a text for stream", good.replace("{", '{"stream":"yes",')],
  ];
}

/** Bodies that cannot be read at all. */
function unreadable(path: string): Malformed[] {
  const json = { "content-type": "application/json" };
  const good = GOOD;
  return [
    ...badBodies(good).map(([what, body]) => ({ what, path, headers: json, body, status: 400 })),
    // A balancer has a default for embeddings, which need not be there: 404.
    ...["{}", '{"model":""}', '{"model":null}'].map((body) => ({
      ...{ what: `the model in ${body}`, path, headers: json, body },
      ...(path === "/v1/embeddings" ? {} : { status: 400 }),
    })),
    {
      what: "an unknown model",
      path,
      headers: json,
      body: good.replace(TINY, "nothing"),
      status: 404,
    },
    {
      what: "a body over the limit",
      path,
      headers: json,
      body: `{"model":"${TINY}","pad":"${"x".repeat(BODY_LIMIT_BYTES)}"}`,
      status: 413,
    },
    ...["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"].map(
      (type) => ({
        what: type,
        path,
        headers: { "content-type": type },
        body: good,
        status: 415,
      }),
    ),
    {
      what: "another character set",
      path,
      headers: { "content-type": "application/json; charset=utf-16" },
      body: good,
      status: 415,
    },
    {
      what: "a compressed body",
      path,
      headers: { ...json, "content-encoding": "gzip" },
      body: Bun.gzipSync(good),
      status: 415,
    },
    ...["GET", "PUT", "PATCH", "DELETE"].map((method) => ({
      what: `method ${method}`,
      path,
      method,
      status: 405,
    })),
  ];
}

function routes(): Malformed[] {
  const unknown = ["/v1", "/v1/", "/v2/models", "/v1/chat", "/v1/chat/completions/", "//v1"];
  const odd = ["/%00", "/%ff%fe", "/v1/models%2f..%2f", "/v1/../../etc/passwd", "/.git/config"];
  return [
    ...[...unknown, ...odd].map((path) => ({ what: "unknown", path, method: "GET", status: 404 })),
    { what: "unknown", path: "/v1/chat/nothing", method: "POST", body: "{}", status: 404 },
    { what: "method POST", path: "/v1/models", method: "POST", body: "{}", status: 405 },
    { what: "method DELETE", path: `/v1/models/${TINY}`, method: "DELETE", status: 405 },
    { what: "method POST", path: "/health", method: "POST", body: "{}", status: 405 },
    ...["nothing", "a/b/c", "%00", "%zz", "%ff", "..%2f..%2f"].map((id) => ({
      what: "unknown model",
      path: `/v1/models/${id}`,
      method: "GET",
    })),
  ];
}

type Field = [name: string, value: unknown];

const SAMPLING: Field[] = [
  ["temperature", "hot"],
  ["temperature", [1]],
  ["temperature", -3],
  ["max_tokens", 0],
  ["top_p", "most"],
  ["top_p", {}],
  ["top_k", "forty"],
  ["min_p", []],
  ["seed", "lucky"],
  ["seed", {}],
  ["frequency_penalty", "much"],
  ["presence_penalty", []],
  ["repeat_penalty", "x"],
  ["repeat_last_n", -7],
  ["mirostat", "on"],
  ["dry_sequence_breakers", "x"],
  ["dry_sequence_breakers", []],
  ["samplers", 7],
  ["ignore_eos", "yes"],
  ["grammar", "root ::= ("],
  ["grammar", "not a grammar"],
  ["grammar", "a ::= b"],
  ["grammar", 7],
  ["logit_bias", "nonsense"],
  ["logit_bias", { "5": "high" }],
  ["n", 0],
  ["n", "two"],
  ["n", 1_000_000],
  ["lora", "x"],
  ["n_probs", "x"],
  ["id_slot", "x"],
  ["cache_prompt", "x"],
];

const MESSAGES: unknown[] = [
  null,
  "Goodbye",
  7,
  {},
  ["Goodbye"],
  [7],
  [null],
  [[]],
  [{}],
  [{ content: "Goodbye" }],
  [{ role: 7, content: "Goodbye" }],
  [{ role: "user", content: 7 }],
  [{ role: "user", content: {} }],
  [{ role: "user", content: ["Goodbye"] }],
  [{ role: "user", content: [{}] }],
  [{ role: "user", content: [{ type: "text" }] }],
  [{ role: "user", content: [{ type: "text", text: 7 }] }],
];

const CHAT_FIELDS: Field[] = [
  ...SAMPLING,
  ...MESSAGES.map((value): Field => ["messages", value]),
  ["messages", undefined],
  ["messages", []],
  ["messages", [{ role: "user", content: [{ type: "nothing" }] }]],
  ["messages", [{ role: "user", content: [{ type: "image_url" }] }]],
  ["messages", [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "x" } }] }]],
  ["messages", [{ role: "assistant", tool_calls: "x" }]],
  ["messages", [{ role: "assistant", tool_calls: [{}] }]],
  ["messages", [{ role: "assistant", tool_calls: [{ type: "function", function: {} }] }]],
  ["max_tokens", "many"],
  ["max_tokens", -5],
  ["max_completion_tokens", {}],
  ["stop", 7],
  ["stop", [7]],
  ["stop", { a: 1 }],
  ["tools", "hammer"],
  ["tools", {}],
  ["tools", [7]],
  ["tools", [{}]],
  ["tools", [{ type: "function" }]],
  ["tools", [{ type: "function", function: {} }]],
  ["tools", [{ type: "function", function: { name: 7, parameters: {} } }]],
  ["tools", [{ type: "function", function: { name: "a", parameters: { type: 7 } } }]],
  ["tool_choice", "nothing"],
  ["tool_choice", 7],
  ["response_format", "json"],
  ["response_format", { type: "nothing" }],
  ["response_format", { type: "json_schema" }],
  ["response_format", schema(7)],
  ["response_format", schema({ type: "nothing" })],
  ["response_format", schema({ type: 7 })],
  ["response_format", schema({ $ref: "#/nowhere" })],
  ["response_format", schema({ $ref: "https://nowhere.invalid/schema.json" })],
  ["response_format", schema({ type: "object", properties: 7 })],
  ["response_format", schema({ type: "array", items: 7 })],
  ["response_format", schema({ enum: 7 })],
  ["response_format", schema({ anyOf: 7 })],
  ["response_format", schema({ type: "string", minLength: "x" })],
  ["logprobs", "yes"],
  ["top_logprobs", "x"],
  ["stream_options", 7],
  ["chat_template_kwargs", 7],
  ["chat_template_kwargs", { enable_thinking: "x" }],
  ["reasoning_format", "nothing"],
];

const COMPLETION_FIELDS: Field[] = [
  ...SAMPLING,
  ["prompt", undefined],
  ["prompt", {}],
  ["prompt", null],
  ["prompt", true],
  ["prompt", [{}]],
  ["prompt", [[{}]]],
  ["prompt", [99_999_999]],
  ["prompt", [-1]],
  ["prompt", { prompt_string: 7 }],
  ["prompt", { prompt_string: "a", multimodal_data: 7 }],
  ["prompt", { prompt_string: "a", multimodal_data: ["!!"] }],
  ["max_tokens", "many"],
  ["stop", 7],
  ["json_schema", 7],
  ["json_schema", { type: "nothing" }],
];

const EMBEDDING_FIELDS: Field[] = [
  ["input", undefined],
  ["input", null],
  ["input", {}],
  ["input", true],
  ["input", [{}]],
  ["input", [null]],
  ["input", ""],
  ["input", []],
  ["input", [99_999_999]],
  ["encoding_format", "hex"],
  ["encoding_format", 7],
];

const RESPONSE_FIELDS: Field[] = [
  ["input", undefined],
  ["input", null],
  ["input", 7],
  ["input", {}],
  ["input", [7]],
  ["input", [{}]],
  ["input", [{ role: "user" }]],
  ["input", [{ role: "user", content: 7 }]],
  ["input", [{ role: "user", content: [{ type: "nothing" }] }]],
  ["input", [{ role: "user", content: [{ type: "input_image" }] }]],
  ["input", [{ type: "function_call_output", output: "x" }]],
  ["instructions", 7],
  ["instructions", {}],
  ["max_output_tokens", "many"],
  ["temperature", "hot"],
  ["tools", "hammer"],
  ["tools", [7]],
  ["tools", [{ type: "function" }]],
  ["previous_response_id", "resp_nothing"],
];

const MESSAGE_FIELDS: Field[] = [
  ["messages", undefined],
  ...MESSAGES.map((value): Field => ["messages", value]),
  ["messages", [{ role: "user", content: [{ type: "image" }] }]],
  ["messages", [{ role: "user", content: [{ type: "image", source: 7 }] }]],
  ["messages", [{ role: "user", content: [{ type: "image", source: { type: "base64" } }] }]],
  ["messages", [{ role: "user", content: [{ type: "tool_result" }] }]],
  ["messages", [{ role: "assistant", content: [{ type: "tool_use" }] }]],
  ["system", 7],
  ["system", {}],
  ["system", [7]],
  ["max_tokens", "many"],
  ["temperature", "hot"],
  ["stop_sequences", 7],
  ["stop_sequences", [7]],
  ["tools", "hammer"],
  ["tools", [7]],
  ["tools", [{}]],
  ["tool_choice", "auto"],
  ["tool_choice", { type: 7 }],
  ["thinking", 7],
];

const COUNT_FIELDS: Field[] = [
  ["messages", undefined],
  ["messages", "Goodbye"],
  ["messages", [7]],
  ["tools", [7]],
];

function fields(path: string, good: object, wrong: Field[]): Malformed[] {
  return wrong.map(([name, value]) => ({
    what: `${name}: ${JSON.stringify(value)}`,
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: TINY, ...good, [name]: value }),
  }));
}

function schema(value: unknown) {
  return { type: "json_schema", json_schema: { name: "a", schema: value } };
}

/** A PNG of one pixel, cut in its middle. */
const HALF_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk";

const IMAGES: unknown[] = [
  "",
  7,
  "nothing",
  "data:",
  "data:image/png;base64,",
  "data:image/png;base64,!!!!",
  "data:image/png;base64,aGVsbG8=",
  `data:image/png;base64,${HALF_PNG}`,
  "data:image/svg+xml;base64,PHN2Zy8+",
  "data:application/pdf;base64,JVBERi0xLjQ=",
  "data:text/html,<b>",
  "data:image/png,raw",
  "file:///etc/passwd",
  "ftp://127.0.0.1/a.png",
];

function image(url: unknown): Malformed {
  const content = [
    { type: "text", text: "What colour is the shape?" },
    { type: "image_url", image_url: { url } },
  ];
  const messages = [{ role: "user", content }];
  return {
    what: `image ${JSON.stringify(url)}`,
    path: CHAT,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: TINY, messages, max_tokens: 8 }),
  };
}

function nested(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

function bytes(text: string, ...inside: number[]): Uint8Array<ArrayBuffer> {
  const [before, after] = [text.slice(0, -2), text.slice(-2)];
  return new Uint8Array(
    Buffer.concat([Buffer.from(before), Buffer.from(inside), Buffer.from(after)]),
  );
}
