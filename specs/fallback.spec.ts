import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { openai, post, says } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";
import { openaiServer } from "../src/testkit/servers/openai.ts";
import {
  openaiError,
  type ScriptedEndpoint,
  scriptedEndpoint,
} from "../src/testkit/servers/scripted.ts";

setDefaultTimeout(20_000);

const cloud = openaiServer();
/** By rule, `ruled` and `gone` may go to the cloud, `bound` may not. */
const endpoints: Record<"ruled" | "gone" | "bound", ScriptedEndpoint> = {
  ruled: scriptedEndpoint("ruled"),
  gone: scriptedEndpoint("gone"),
  bound: scriptedEndpoint("bound"),
};

let program: Program;
beforeAll(async () => {
  const named = Object.values(endpoints).flatMap(({ url }) => ["--endpoint", url]);
  const rules = ["ruled", "gone"].flatMap((name) => ["--fallback", `${name}=openai:gpt-4o`]);
  program = await Program.start({
    mode: "balancer",
    args: [...named, ...rules, "--default-slots", "1", "--queue-max", "2"],
    env: { OPENAI_API_KEY: cloud.key, OPENAI_BASE_URL: `${cloud.url}/v1` },
  });
});
afterAll(async () => {
  await program?.stop();
  for (const server of [...Object.values(endpoints), cloud]) server[Symbol.dispose]();
});
beforeEach(() => {
  cloud.requests.length = 0;
  for (const { next } of Object.values(endpoints)) next.length = 0;
});

const BY_CLOUD = "echo: hello";

async function ask(model: string) {
  const { choices } = await openai(program).chat.completions.create({
    ...{ model, messages: says("hello") },
  });
  return choices[0]?.message.content;
}

/** The status of an answer, streamed or not. */
async function statusOf(model: string, stream = false): Promise<number> {
  const body = { model, messages: says("hello"), stream };
  const response = await post(`${program.url}/v1/chat/completions`, body);
  await response.text();
  return response.status;
}

describe("a rule of the operator", () => {
  test("is not needed while the endpoint does its work", async () => {
    expect(await ask("ruled")).toBe("well");
    expect(cloud.requests).toEqual([]);
  });

  test.each([429, 500, 502, 503])("takes over from an endpoint's %d", async (status) => {
    endpoints.ruled.next.push(openaiError(status));
    expect(await ask("ruled")).toBe(BY_CLOUD);
    expect(cloud.requests.map(({ body }) => body.model)).toEqual(["gpt-4o"]);
    expect(await ask("ruled")).toBe("well");
  });

  test("takes over streams too", async () => {
    endpoints.ruled.next.push(openaiError(503));
    const { chat } = openai(program);
    const stream = chat.completions.stream({ model: "ruled", messages: says("hello") });
    expect(await stream.finalContent()).toBe(BY_CLOUD);
    expect((await stream.finalChatCompletion()).model).toBe("ruled");
  });

  test("leaves errors of the client's to it", async () => {
    endpoints.ruled.next.push(openaiError(400));
    expect(await statusOf("ruled")).toBe(400);
    expect(cloud.requests).toEqual([]);
  });

  test("takes what finds the queue full", async () => {
    const held = Promise.withResolvers<void>();
    endpoints.ruled.next.push(async () => {
      await held.promise;
      return openaiError(400)();
    });
    const asked = Array.from({ length: 6 }, () => ask("ruled"));
    for (const one of asked) one.then((text) => text === BY_CLOUD && held.resolve()).catch(String);
    const settled = await Promise.allSettled(asked);
    const texts = settled.map((one) => (one.status === "fulfilled" ? one.value : "held"));
    expect(texts.filter((text) => text === "held")).toHaveLength(1);
    expect(texts).toContain(BY_CLOUD);
    expect(texts).toContain("well");
  });

  test("takes over when the endpoint is gone", async () => {
    endpoints.gone[Symbol.dispose]();
    expect(await ask("gone")).toBe(BY_CLOUD);
    expect(await ask("gone")).toBe(BY_CLOUD);
  });
});

test("what the only endpoint refuses is no reason for a cloud to be paid", async () => {
  for (const status of [400, 422, 400]) {
    endpoints.ruled.next.push(openaiError(status));
    expect(await statusOf("ruled")).toBe(status);
  }
  expect(cloud.requests).toEqual([]);
});

test("without a rule no request goes to a cloud", async () => {
  for (const status of [429, 503]) {
    endpoints.bound.next.push(openaiError(status));
    expect(await statusOf("bound")).toBe(status);
  }
  endpoints.bound.next.push(openaiError(500));
  expect(await statusOf("bound", true)).toBe(500);
  expect(cloud.requests).toEqual([]);
});

/** A way to a server that is known later; counts what is sent on it. */
function startWay() {
  const way = { target: "", asked: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request): Promise<Response> {
      if (request.method === "POST") way.asked += 1;
      return fetch(new Request(way.target + new URL(request.url).pathname, request));
    },
  });
  const url = `${server.url.origin}/v1`;
  return Object.assign(way, { url, [Symbol.dispose]: () => void server.stop(true) });
}

/** A balancer whose fallback for every model is the cloud at the end of a way. */
function leadingTo(url: string): Promise<Program> {
  return Program.start({
    mode: "balancer",
    args: ["--fallback", "*=openai:gpt-4o"],
    untilReady: false,
    env: { OPENAI_API_KEY: "any", OPENAI_BASE_URL: url },
  });
}

async function expectLoop({ url }: Program): Promise<void> {
  const body = { model: "gpt-4o", messages: says("hello"), stream: true };
  const response = await post(`${url}/v1/chat/completions`, body);
  expect(response.status).toBe(508);
  expect(await response.json()).toMatchObject({ error: { code: "loop_detected" } });
}

test("a cloud that is this llmlb itself is refused at the first round", async () => {
  using round = startWay();
  const own = await leadingTo(round.url);
  try {
    round.target = own.url;
    await expectLoop(own);
    expect(round.asked).toBe(1);
  } finally {
    await own.stop();
  }
});

test("two that name each other are refused at the first round", async () => {
  using there = startWay();
  using back = startWay();
  const [own, other] = await Promise.all([leadingTo(there.url), leadingTo(back.url)]);
  try {
    there.target = other.url;
    back.target = own.url;
    await expectLoop(own);
    expect([there.asked, back.asked]).toEqual([1, 1]);
  } finally {
    await Promise.all([own.stop(), other.stop()]);
  }
});
