import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { allFrames, post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { type FakeEndpoint, fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import {
  type CollectedSpan,
  type OtlpCollector,
  otlpCollector,
} from "../src/testkit/servers/otlpcollector.ts";
import { stage } from "../src/testkit/stage.ts";

setDefaultTimeout(60_000);

const { start } = stage();
const opened: Disposable[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]();
});

function collecting(): OtlpCollector {
  const collector = otlpCollector();
  opened.push(collector);
  return collector;
}

function endpoint(answer: Parameters<typeof fakeEndpoint>[1]): FakeEndpoint {
  const made = fakeEndpoint(["m"], answer);
  opened.push(made);
  return made;
}

/** The variables that an operator sets, and short batches. */
function environment(collector: OtlpCollector, more: Record<string, string> = {}) {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "20", ...more };
}

const balancer = (urls: string[], env: Record<string, string>, more: string[] = []) =>
  start({ mode: "balancer", env, args: [...urls.flatMap((url) => ["-e", url]), ...more] });

const said = (content = "Hi") =>
  Response.json({
    ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
    usage: { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 2 } },
  });

const CHAT = "/v1/chat/completions";
const BODY = { model: "m", messages: says("Hi") };
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

const ofKind = (spans: CollectedSpan[], kind: number) => spans.filter((one) => one.kind === kind);
const SERVER = 2;
const CLIENT = 3;
const INTERNAL = 1;

/** The span of the program's one request, once its collector has it. */
function serverSpan(collector: OtlpCollector): Promise<CollectedSpan> {
  return eventually(() => ofKind(collector.spans, SERVER)[0]);
}

test("a streamed chat of the built-in model is one trace", async () => {
  const collector = collecting();
  const program = await start({ env: environment(collector) });
  const body = { model: TINY, messages: says("Count from 29 to 31."), temperature: 0 };
  const headers = { traceparent: PARENT, tracestate: "vendor=1", "x-request-id": "req-1" };
  const response = await post(program.url + CHAT, { ...body, stream: true }, { headers });
  await allFrames(response);
  const span = await serverSpan(collector);
  expect(span).toMatchObject({
    traceId: TRACE,
    parentSpanId: "b7ad6b7169203331",
    traceState: "vendor=1",
    name: `POST ${CHAT}`,
    statusCode: 0,
    scope: "llmlb",
    resource: { "service.name": "llmlb", "service.version": expect.any(String) },
  });
  // Sampled, and the parent is of another program.
  expect(span.flags & 0x301).toBe(0x301);
  expect(span.attributes).toMatchObject({
    "http.request.method": "POST",
    "http.route": CHAT,
    "http.response.status_code": 200,
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "llmlb",
    "gen_ai.request.model": TINY,
    "gen_ai.response.model": TINY,
    "gen_ai.request.stream": true,
    "gen_ai.usage.input_tokens": expect.any(Number),
    "gen_ai.usage.output_tokens": expect.any(Number),
    "llmlb.request.id": "req-1",
    "llmlb.endpoint.name": "local",
  });
  expect(span.events.map(({ name }) => name)).toEqual(["gen_ai.first_token"]);
  const { timeNs = 0n } = span.events[0] ?? {};
  const { startNs, endNs } = span;
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  expect(nowNs - startNs < 60_000_000_000n && startNs < timeNs && timeNs < endNs).toBe(true);
  const attempts = ofKind(collector.spans, CLIENT);
  expect(attempts).toHaveLength(1);
  expect(attempts[0]).toMatchObject({
    traceId: TRACE,
    parentSpanId: span.spanId,
    name: `chat ${TINY}`,
    statusCode: 0,
    attributes: {
      "server.address": "127.0.0.1",
      "server.port": Number(new URL(program.nodeUrl).port),
      "http.response.status_code": 200,
      "llmlb.endpoint.name": "local",
    },
  });
  await program.stop();
});

describe("an attempt that fails", () => {
  test("is a span of its own, and each endpoint is told its own", async () => {
    const collector = collecting();
    const overloaded = endpoint(() => new Response("no", { status: 503 }));
    const well = endpoint(() => said());
    const urls = [`bad=${overloaded.url}`, `good=${well.url}`];
    const program = await balancer(urls, environment(collector), ["--strategy", "round-robin"]);
    // One of the two requests begins at the one that fails.
    for (let i = 0; i < 2; i += 1) await (await post(program.url + CHAT, BODY)).text();
    const spans = await eventually(() =>
      ofKind(collector.spans, SERVER).length === 2 ? collector.spans : undefined,
    );
    const retry = ofKind(spans, CLIENT).find(
      ({ attributes }) => attributes["http.request.resend_count"] === 1,
    );
    const trace = spans.filter(({ traceId }) => traceId === retry?.traceId);
    expect(retry).toMatchObject({
      statusCode: 0,
      attributes: { "llmlb.endpoint.name": "good", "llmlb.retry.reason": "503" },
    });
    const failed = ofKind(trace, CLIENT).find((one) => one !== retry);
    expect(failed).toMatchObject({
      statusCode: 2,
      attributes: {
        "llmlb.endpoint.name": "bad",
        "http.response.status_code": 503,
        "error.type": "503",
      },
    });
    expect(ofKind(trace, SERVER)[0]).toMatchObject({ parentSpanId: "", statusCode: 0 });
    const handed = [...overloaded.requests, ...well.requests].map((one) =>
      one.headers.get("traceparent"),
    );
    const told = ofKind(spans, CLIENT).map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
    expect(handed.toSorted()).toEqual(told.toSorted());
  });

  test("because nobody is there, says so without an error's words", async () => {
    const collector = collecting();
    const gone = endpoint(() => said());
    const program = await balancer([gone.url], environment(collector));
    gone[Symbol.dispose]();
    const response = await post(program.url + CHAT, BODY);
    expect(response.status).toBe(502);
    const span = await serverSpan(collector);
    expect(span).toMatchObject({ statusCode: 2, statusMessage: "" });
    expect(span.attributes).toMatchObject({
      "error.type": "upstream",
      "http.response.status_code": 502,
    });
    expect(ofKind(collector.spans, CLIENT)[0]).toMatchObject({
      statusCode: 2,
      attributes: { "error.type": "connect" },
    });
  });
});

test("a wait in the queue is a span", async () => {
  const collector = collecting();
  const { promise: freed, resolve: free } = Promise.withResolvers<void>();
  const busy = endpoint(async () => {
    await freed;
    return said();
  });
  const program = await balancer([busy.url], environment(collector), ["--default-slots", "1"]);
  const both = [post(program.url + CHAT, BODY), post(program.url + CHAT, BODY)];
  await eventually(async () => {
    const stats = (await (await fetch(`${program.url}/api/queue/stats`)).json()) as {
      waiting_count?: number;
    };
    return JSON.stringify(stats).includes('"waiting_count":1') || undefined;
  });
  free();
  for (const one of both) await (await one).text();
  const waits = await eventually(() => {
    const isAll = ofKind(collector.spans, SERVER).length === 2;
    return isAll ? ofKind(collector.spans, INTERNAL) : undefined;
  });
  expect(waits).toHaveLength(1);
  expect(waits[0]).toMatchObject({ name: "queue", attributes: { "llmlb.queue.for": "slot" } });
  const parent = collector.spans.find(({ spanId }) => spanId === waits[0]?.parentSpanId);
  expect(parent?.kind).toBe(SERVER);
});

test("a wait for an endpoint to be there is a span", async () => {
  const collector = collecting();
  const { promise: up, resolve: comeUp } = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const slow = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      asked.resolve();
      await up;
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ data: [{ id: "m" }] });
      return pathname === CHAT ? said() : new Response("not here", { status: 404 });
    },
  });
  opened.push({ [Symbol.dispose]: () => void slow.stop(true) });
  const args = ["-e", slow.url.origin];
  const env = environment(collector);
  const program = await start({ mode: "balancer", env, args, untilReady: false });
  await asked.promise;
  const answer = post(program.url + CHAT, BODY);
  await eventually(async () => {
    const metrics = await (await fetch(`${program.url}/metrics`)).text();
    return metrics.includes("llmlb_requests_active 1") || undefined;
  });
  comeUp();
  expect((await answer).status).toBe(200);
  const { spanId } = await serverSpan(collector);
  const waits = ofKind(collector.spans, INTERNAL);
  expect(waits[0]).toMatchObject({ name: "queue", attributes: { "llmlb.queue.for": "endpoint" } });
  expect(waits[0]?.parentSpanId).toBe(spanId);
});

test.each<[string, object | string, number, string]>([
  ["that is no JSON", "{no", 400, "invalid_json"],
  ["for a model that nobody has", { ...BODY, model: "none" }, 404, "model_not_found"],
])("a request %s is a trace, too", async (_, body, status, code) => {
  const collector = collecting();
  const well = endpoint(() => said());
  const program = await balancer([well.url], environment(collector));
  const headers = { "content-type": "application/json", traceparent: "00-nonsense" };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(program.url + CHAT, { method: "POST", body: text, headers });
  expect(response.status).toBe(status);
  const span = await serverSpan(collector);
  expect(span).toMatchObject({ parentSpanId: "", statusCode: 0 });
  expect(span.attributes).toMatchObject({ "http.response.status_code": status });
  expect(String(span.attributes["error.type"])).toContain(code.split("_")[0] ?? "");
  expect(ofKind(collector.spans, CLIENT)).toEqual([]);
});

test("nothing of what was said is told, and no key", async () => {
  const collector = collecting();
  const prompt = "canary-prompt-9d1";
  const answers = [
    () => said("canary-answer-5b2"),
    () => Response.json({ error: { message: `no ${prompt} for canary-key-77` } }, { status: 400 }),
  ];
  const well = endpoint(() => answers.shift()?.() ?? said());
  const url = well.url.replace("http://", "http://canary-endpoint-key@");
  const program = await balancer([url], environment(collector));
  const headers = { authorization: "Bearer canary-key-77", baggage: "user=canary-baggage" };
  const body = { ...BODY, messages: says(prompt), user: "canary-user" };
  const path = `${program.url}${CHAT}?key=canary-query`;
  for (let i = 0; i < 2; i += 1) await (await post(path, body, { headers })).text();
  await eventually(() => ofKind(collector.spans, SERVER).length === 2 || undefined);
  const told = Buffer.concat(collector.raw).toString("latin1");
  expect(told).toContain("gen_ai.usage.output_tokens");
  expect(told.match(/canary[\w-]*/g)).toBeNull();
});

describe("the standard variables", () => {
  test("name the collector, its key, the service and what else there is to say", async () => {
    const collector = collecting();
    const well = endpoint(() => said());
    const program = await balancer([well.url], {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/custom/path`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=for%20collector",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_SERVICE_NAME: "my-balancer",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=lab,service.name=hidden",
      OTEL_BSP_SCHEDULE_DELAY: "20",
    });
    await (await post(program.url + CHAT, BODY)).text();
    const span = await serverSpan(collector);
    expect(collector.paths[0]).toBe("/custom/path");
    expect(collector.headers[0]?.get("x-api-key")).toBe("for collector");
    expect(collector.headers[0]?.get("content-encoding")).toBe("gzip");
    const resource = { "service.name": "my-balancer", "deployment.environment": "lab" };
    expect(span.resource).toMatchObject(resource);
    expect(span.attributes).toMatchObject({
      "gen_ai.usage.input_tokens": 7,
      "gen_ai.usage.output_tokens": 3,
      "gen_ai.usage.cache_read.input_tokens": 2,
    });
  });

  test("choose what is told; a client's decision counts where they say so", async () => {
    const collector = collecting();
    const well = endpoint(() => said());
    const sampler = { OTEL_TRACES_SAMPLER: "parentbased_always_off" };
    const program = await balancer([well.url], environment(collector, sampler));
    const ask = async (traceparent?: string) => {
      const headers = traceparent === undefined ? {} : { traceparent };
      await (await post(program.url + CHAT, BODY, { headers })).text();
    };
    await ask();
    await ask(PARENT.replace(/01$/, "00"));
    await ask(PARENT);
    expect((await serverSpan(collector)).traceId).toBe(TRACE);
    await program.stop();
    expect(ofKind(collector.spans, SERVER)).toHaveLength(1);
    const flags = well.requests.map(({ headers }) => headers.get("traceparent")?.slice(-2));
    expect(flags).toEqual(["00", "00", "01"]);
  });

  test.each([
    ["without them", {}],
    ["with the kit disabled", { OTEL_SDK_DISABLED: "true" }],
    ["with another exporter", { OTEL_TRACES_EXPORTER: "none" }],
  ])("tell nothing %s, and a client's own trace passes as it is", async (what, more) => {
    const collector = collecting();
    const well = endpoint(() => said());
    const env = what === "without them" ? {} : environment(collector, more);
    const program = await balancer([well.url], env);
    await (await post(program.url + CHAT, BODY, { headers: { traceparent: PARENT } })).text();
    await program.stop();
    expect(collector.paths).toEqual([]);
    expect(well.requests[0]?.headers.get("traceparent")).toBe(PARENT);
  });
});

describe("a collector", () => {
  test("gets what is left when llmlb ends", async () => {
    const collector = collecting();
    const well = endpoint(() => said());
    const env = { ...environment(collector), OTEL_BSP_SCHEDULE_DELAY: "3600000" };
    const program = await balancer([well.url], env);
    await (await post(program.url + CHAT, BODY)).text();
    await program.stop();
    expect(ofKind(collector.spans, SERVER)).toHaveLength(1);
  });

  test("that comes back gets what its queue held, and the rest was dropped", async () => {
    const collector = collecting();
    const good = collector.answer;
    collector.answer = () => new Response("later", { status: 503 });
    const well = endpoint(() => said());
    const queue = { OTEL_BSP_MAX_QUEUE_SIZE: "8", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "4" };
    const program = await balancer([well.url], environment(collector, queue));
    for (let i = 0; i < 40; i += 1) await (await post(program.url + CHAT, BODY)).text();
    await eventually(() => collector.paths.length > 0 || undefined);
    collector.answer = good;
    // The batch that is tried again, and the queue behind it.
    await eventually(() => collector.spans.length >= 12 || undefined);
    await program.stop();
    expect(collector.spans.length).toBe(12);
  });

  test.each<[string, (collector: OtlpCollector) => void]>([
    ["that is down", (collector) => collector[Symbol.dispose]()],
    [
      "that hangs",
      (collector) => {
        collector.answer = () => new Promise(() => undefined);
      },
    ],
    [
      "that refuses",
      (collector) => {
        collector.answer = () => new Response("no such key", { status: 401 });
      },
    ],
  ])("%s holds up neither requests nor the end", async (_, spoil) => {
    const collector = collecting();
    spoil(collector);
    const well = endpoint(() => said());
    const queue = { OTEL_BSP_MAX_QUEUE_SIZE: "8", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "4" };
    const program = await balancer([well.url], environment(collector, queue));
    for (let i = 0; i < 40; i += 1) {
      const response = await post(program.url + CHAT, BODY);
      expect(response.status).toBe(200);
      await response.text();
    }
    await program.stop();
    expect(collector.spans).toEqual([]);
  });
});
