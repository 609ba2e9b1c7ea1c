import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { LLAMA_CPP_VERSION, VERSION } from "../src/config/version.ts";
import { allFrames, post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { type Line, parseExposition } from "../src/testkit/exposition.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(30_000);

let program: Program;
/** What the metrics tell once all requests are counted. */
let lines: Line[];
let text: string;

beforeAll(async () => {
  program = await Program.start();
  const body = { model: TINY, messages: says("Count from 29 to 31."), temperature: 0 };
  const chat = `${program.url}/v1/chat/completions`;
  await allFrames(await post(chat, { ...body, stream: true }));
  await (await post(chat, body)).text();
  await (await post(`${program.url}/v1/embeddings`, { model: TINY, input: "a" })).text();
  await (await post(chat, { ...body, model: "nobody-has-it" })).text();
  lines = await eventually(async () => {
    text = await (await fetch(`${program.url}/metrics`)).text();
    const found = parseExposition(text);
    const ended = found.filter(({ name }) => name === "llmlb_requests_total");
    return ended.reduce((sum, { value }) => sum + value, 0) >= 4 ? found : undefined;
  });
});
afterAll(() => program?.stop());

/** The metrics that a table of the page names, `_active` and the like completed. */
function named(page: string, prefix: string): string[] {
  const names = page.matchAll(new RegExp(`\`(${prefix}[\\w{},]+)\``, "g"));
  return [...names].flatMap(([, name = ""]) => {
    const [, before = "", inner, behind = ""] = /^([^{]*)(?:\{(.*)\}(.*))?$/.exec(name) ?? [];
    return inner === undefined ? [before] : inner.split(",").map((one) => before + one + behind);
  });
}

function value(name: string, labels: Record<string, string>): number | undefined {
  return lines.find((line) => line.name === name && Bun.deepEquals(line.labels, labels))?.value;
}

test("those that the page names are there, and no others", () => {
  const page = readFileSync(join(import.meta.dir, "metrics.md"), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const told = [...named(rows.join("\n"), "llmlb_"), ...named(rows.join("\n"), "gen_ai_")];
  expect(told.length).toBeGreaterThan(20);
  expect(told.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  const found = [...text.matchAll(/^# TYPE ((?:llmlb|gen_ai)_\w+) /gm)].map(([, name]) => name);
  const suffixes = /^llmlb_endpoint_|^llmlb_bodies_/;
  expect(found.filter((name = "") => !told.includes(name) && !suffixes.test(name))).toEqual([]);
});

test("requests, tokens and their pace are told by model and endpoint", () => {
  const of = { model: TINY, endpoint: "local" };
  expect(value("llmlb_requests_total", { ...of, status: "2xx" })).toBe(3);
  expect(value("llmlb_output_tokens_total", of)).toBeGreaterThan(8);
  // Only the stream shows its first token.
  expect(value("llmlb_output_token_seconds_count", of)).toBe(1);
  const perToken = value("llmlb_output_token_seconds_sum", of) ?? 0;
  const pace = value("llmlb_output_tokens_per_second_sum", of) ?? 0;
  expect(perToken * pace).toBeCloseTo(1);
});

test("OpenTelemetry's names tell the same", () => {
  const of = (operation: string) => ({
    gen_ai_operation_name: operation,
    gen_ai_provider_name: "llmlb",
    gen_ai_request_model: TINY,
  });
  const output = { ...of("chat"), gen_ai_token_type: "output" };
  expect(value("gen_ai_client_token_usage_count", output)).toBe(2);
  expect(value("gen_ai_client_token_usage_sum", output)).toBeGreaterThan(8);
  expect(value("gen_ai_server_request_duration_seconds_count", of("chat"))).toBe(2);
  expect(value("gen_ai_server_request_duration_seconds_count", of("embeddings"))).toBe(1);
  expect(value("gen_ai_server_time_to_first_token_seconds_count", of("chat"))).toBe(1);
  expect(value("gen_ai_server_time_per_output_token_seconds_count", of("chat"))).toBe(1);
  const unknown = { ...of("chat"), gen_ai_request_model: "", error_type: "model_not_found" };
  expect(value("gen_ai_server_request_duration_seconds_count", unknown)).toBe(1);
});

test("the build is told", () => {
  const labels = { version: VERSION, bun: Bun.version, llama_cpp: LLAMA_CPP_VERSION };
  expect(value("llmlb_build_info", labels)).toBe(1);
});

describe("with access control", () => {
  let guarded: Program;
  const PROXY = "127.0.0.9";
  const METRICS = "metrics.read";
  const keys: Record<string, string> = {};
  beforeAll(async () => {
    const args = ["--access", "required", "--trusted-proxies", PROXY];
    const env = { LLMLB_ADMIN_PASSWORD: "correct horse" };
    guarded = await Program.start({ mode: "balancer", untilReady: false, args, env });
    const local = readFileSync(join(guarded.home, "local.key"), "utf8").trim();
    const headers = { authorization: `Bearer ${local}` };
    for (const permission of [METRICS, "openai.inference"]) {
      const body = { name: permission, permissions: [permission] };
      const made = await post(`${guarded.url}/api/keys`, body, { headers });
      keys[permission] = ((await made.json()) as { key: string }).key;
    }
  });
  afterAll(() => guarded?.stop());

  /** The status of the metrics for a connection from an address. */
  function statusFrom(localAddress: string, headers: Record<string, string>): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const url = new URL(guarded.url);
    const socket = connect({ host: url.hostname, port: Number(url.port), localAddress });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    let answer = "";
    socket.on("error", reject);
    socket.on("data", (piece) => {
      answer += piece;
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
      if (status !== undefined) resolve(Number(status));
      socket.destroy();
    });
    socket.write(
      `GET /metrics HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join("")}connection: close\r\n\r\n`,
    );
    return promise;
  }

  test.each<[string, string, Record<string, string>, number]>([
    ["a program of this machine needs no key", "127.0.0.1", {}, 200],
    ["a proxy's client needs one", "127.0.0.1", { "x-forwarded-for": "203.0.113.7" }, 401],
    ["a trusted proxy's client needs one", PROXY, { "x-forwarded-for": "203.0.113.7" }, 401],
    ["a trusted proxy itself needs one", PROXY, {}, 401],
    ["so does who says to be here", PROXY, { "x-forwarded-for": "127.0.0.1" }, 401],
  ])("%s", async (_, address, headers, status) => {
    expect(await statusFrom(address, headers)).toBe(status);
  });

  test("a key that may read them opens them to everybody, another one does not", async () => {
    const from = (key = "") =>
      statusFrom(PROXY, { "x-forwarded-for": "203.0.113.7", authorization: `Bearer ${key}` });
    expect(await from(keys[METRICS])).toBe(200);
    expect(await from(keys["openai.inference"])).toBe(403);
    expect(await from("sk_unknown")).toBe(401);
  });
});
