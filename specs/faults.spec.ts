import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { busySlots, type Frame, frames, openai, post, says } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { eventually, within } from "../src/testkit/eventually.ts";
import { freePort } from "../src/testkit/freeport.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(30_000);

const GGUF = fileURLToPath(new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url));
/** With context shift an answer has no end of its own. */
const ENDLESS = ["--", "--threads", "1", "--context-shift"];
/** How streams end that nobody goes on with: see continuation.spec.ts for those that do. */
const ENDING = ["--continue-streams", "off"];
const STORY = { temperature: 0, ignore_eos: true, max_tokens: 1_000_000 };

const folder = temporaryHome();
const model = (name: string) => join(folder.path, `${name}.gguf`);
beforeAll(() => {
  for (const name of ["a", "b", "cut"]) copyFileSync(GGUF, model(name));
  truncateSync(model("cut"), 1_000_000);
  const hostile = Buffer.alloc(4096, 0xff);
  hostile.write("GGUF");
  hostile.writeUInt32LE(3, 4);
  writeFileSync(model("hostile"), hostile);
});
afterAll(() => folder[Symbol.dispose]());

const modelFlags = (...names: string[]) => names.flatMap((name) => ["--model", model(name)]);

function tell(program: Program, name: string, more: object = {}, signal?: AbortSignal) {
  const body = { model: name, messages: says("Tell me a story about a robot"), ...STORY, ...more };
  const init = signal === undefined ? {} : { signal };
  return post(`${program.url}/v1/chat/completions`, body, init);
}

async function goodbye(program: Program, name: string): Promise<string | null | undefined> {
  const answer = await openai(program).chat.completions.create({
    model: name,
    messages: says("Goodbye"),
    temperature: 0,
  });
  return answer.choices[0]?.message.content;
}

/** Opens a stream and reads its first frames; the rest is left to the caller. */
async function opened(answer: Promise<Response>, count = 3) {
  const rest = frames(await answer);
  const first: Frame[] = [];
  while (first.length < count) {
    const { value, done } = await rest.next();
    if (done) throw new Error("the stream ended early");
    first.push(value);
  }
  return rest;
}

async function lastOf(stream: AsyncGenerator<Frame>): Promise<Frame | undefined> {
  return (await Array.fromAsync(stream)).at(-1);
}

describe("a node with several models", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start({
      args: [...modelFlags("a", "b", "cut", "hostile"), ...ENDING, ...ENDLESS],
    });
  });
  afterAll(() => program?.stop());

  test("an engine that is killed ends its own streams with an error, and only those", async () => {
    const other = await opened(tell(program, "b", { stream: true, max_tokens: 400 }));
    const text = "Tell me a story about a robot";
    const streams = await Promise.all([
      opened(tell(program, "a", { stream: true })),
      opened(
        post(`${program.url}/v1/responses`, {
          ...{ model: "a", input: text, stream: true, temperature: 0, ignore_eos: true },
          max_output_tokens: 1_000_000,
        }),
        8,
      ),
      opened(
        post(`${program.url}/v1/messages`, {
          ...{ model: "a", messages: says(text), stream: true },
          ...STORY,
        }),
        5,
      ),
    ]);
    process.kill(program.enginePid("a"), "SIGKILL");
    const rests = await within(5000, Promise.all(streams.map((rest) => Array.fromAsync(rest))));
    const [chat, responses, messages] = rests.map((rest) => rest.at(-1));
    expect(chat?.json).toMatchObject({
      error: { type: "service_unavailable", code: "engine_crashed", param: null },
    });
    expect(rests[1]?.at(-2)).toMatchObject({
      event: "error",
      json: { type: "error", code: "engine_crashed", param: null },
    });
    expect(responses).toMatchObject({
      event: "response.failed",
      json: { response: { status: "failed", error: { code: "server_error" } } },
    });
    expect(messages).toMatchObject({
      event: "error",
      json: { type: "error", error: { type: "api_error" } },
    });
    for (const frame of [chat, responses, messages]) {
      expect(frame?.data).toContain("The engine of a ended unexpectedly");
    }
    expect((await lastOf(other))?.data).toBe("[DONE]");
    expect(await goodbye(program, "a")).toBe("Goodbye!");
  });

  test.each([true, false])("a client that leaves frees its slot (stream: %p)", async (stream) => {
    const abort = new AbortController();
    const request = tell(program, "b", { stream }, abort.signal);
    const end = request.then((response) => response.text()).catch(({ name }: Error) => name);
    await eventually(async () => (await busySlots(program.nodeUrl, "b")) === 1 || undefined);
    abort.abort();
    await eventually(async () => (await busySlots(program.nodeUrl, "b")) === 0 || undefined, 1000);
    expect(await end).toBe("AbortError");
  });

  test.each([
    ["cut", "corrupt", "damaged or incomplete"],
    ["hostile", "not_gguf", "not a GGUF file"],
  ])("the unusable file %s is refused by name, and others go on", async (name, code, reason) => {
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await tell(program, name);
      const { error } = (await response.json()) as { error: { message: string } };
      expect(response.status).toBe(503);
      expect(error).toMatchObject({ type: "service_unavailable", code, param: "model" });
      expect(error.message).toContain(`The model ${name} could not be loaded.`);
      expect(error.message).toContain(reason);
    }
    expect(await goodbye(program, "b")).toBe("Goodbye!");
  });
});

test("a local node that is killed ends its streams with an error and comes back", async () => {
  const program = await Program.start({ args: [...modelFlags("a"), ...ENDING, ...ENDLESS] });
  try {
    const running = await opened(tell(program, "a", { stream: true }));
    const { nodePid: node } = program;
    const engine = program.enginePid("a");
    process.kill(node, "SIGKILL");
    const last = await within(5000, lastOf(running));
    expect(last?.json).toMatchObject({
      error: { type: "service_unavailable", code: "upstream", param: null },
    });
    const gone = () => !program.processes().some((pid) => pid === node || pid === engine);
    await eventually(() => gone() || undefined, 3000);
    const answer = await eventually(() => goodbye(program, "a").catch(() => undefined));
    expect(answer).toBe("Goodbye!");
    // Its line in the log may come behind the answer.
    await eventually(() => program.enginePid("a") !== engine || undefined);
  } finally {
    await program.stop();
  }
});

describe("the end of the program", () => {
  test("killing it leaves no process behind", async () => {
    const program = await Program.start({ args: [...modelFlags("a"), ...ENDLESS] });
    try {
      await opened(tell(program, "a", { stream: true }));
      const family = [program.pid, program.nodePid, program.enginePid("a")];
      expect(program.processes()).toEqual(expect.arrayContaining(family));
      program.signal("SIGKILL");
      await eventually(() => program.processes().length === 0 || undefined, 3000);
    } finally {
      await program.kill();
    }
  });

  test("a stop signal lets a stream finish and refuses new requests", async () => {
    const program = await Program.start({ args: [...modelFlags("a"), ...ENDLESS] });
    try {
      const running = await opened(tell(program, "a", { stream: true, max_tokens: 400 }));
      program.signal("SIGTERM");
      const refused = await eventually(async () => {
        const response = await tell(program, "a", { max_tokens: 1 });
        return response.ok ? undefined : response;
      });
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
      expect(await refused.json()).toMatchObject({ error: { code: "draining" } });
      expect((await fetch(`${program.url}/health`)).status).toBe(200);
      expect((await fetch(`${program.url}/ready`)).status).toBe(503);
      const rest = await Array.fromAsync(running);
      expect(rest.at(-1)?.data).toBe("[DONE]");
      expect(rest.length).toBeGreaterThan(300);
      expect(await within(10_000, program.exited)).toBe(0);
      await eventually(() => program.processes().length === 0 || undefined, 3000);
    } finally {
      await program.kill();
    }
  });
});

describe("a stream that does not end by itself", () => {
  async function stopAmid(how: "drain timeout" | "second signal") {
    const args = ["--drain-timeout", how === "drain timeout" ? "500ms" : "30s"];
    const program = await Program.start({ args: [...args, ...modelFlags("a"), ...ENDLESS] });
    try {
      const running = await opened(tell(program, "a", { stream: true }));
      program.signal("SIGTERM");
      const draining = async () => (await fetch(`${program.url}/ready`)).status === 503;
      await eventually(async () => (await draining()) || undefined);
      if (how === "second signal") {
        // Sooner, it would be the first one, passed on by a wrapper program.
        await Bun.sleep(600);
        program.signal("SIGTERM");
      }
      const last = await lastOf(running).catch(() => undefined);
      const code = await within(5000, program.exited);
      await eventually(() => program.processes().length === 0 || undefined, 3000);
      return { last, code };
    } finally {
      await program.kill();
    }
  }

  test("is ended by the drain timeout with an error event", async () => {
    const { last, code } = await stopAmid("drain timeout");
    expect(last?.json).toMatchObject({ error: { type: "service_unavailable" } });
    expect(code).toBe(0);
  });

  test("is cut by a second signal", async () => {
    const { last, code } = await stopAmid("second signal");
    expect(last).toBeUndefined();
    expect(code).toBe(1);
  });
});

describe("a balancer over two nodes", () => {
  const node = (port = 0) => Program.start({ mode: "node", args: ["--port", String(port)] });
  const balancer = (endpoints: string[]) =>
    Program.start({
      mode: "balancer",
      args: [
        ...endpoints.flatMap((endpoint) => ["--endpoint", endpoint]),
        ...["--health-interval", "300ms"],
      ],
      untilReady: false,
    });

  test("goes on with one when the other is killed", async () => {
    await using nodes = new AsyncDisposableStack();
    const [one, two] = await Promise.all([node(), node()]);
    nodes.defer(() => one.kill());
    nodes.defer(() => two.stop());
    const program = await balancer([`one=${one.url}`, `two=${two.url}`]);
    nodes.defer(() => program.stop());
    await Promise.all(Array.from({ length: 8 }, () => goodbye(program, "llmlb-tiny")));
    one.signal("SIGKILL");
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => goodbye(program, "llmlb-tiny")),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, () => "Goodbye!"));
    await eventually(async () => (await statusOf(program, "one")) === "offline" || undefined);
    expect(await statusOf(program, "two")).toBe("online");
  });

  test("tells whoever waits for one that stands still, and takes it back", async () => {
    await using programs = new AsyncDisposableStack();
    const still = await Program.start({ mode: "node", args: ENDLESS });
    programs.defer(() => still.stop());
    const args = ["--health-interval", "900ms", "--health-timeout", "500ms", ...ENDING];
    const endpoint = ["--endpoint", `still=${still.url}`];
    const program = await Program.start({ mode: "balancer", args: [...endpoint, ...args] });
    programs.defer(() => program.stop());
    const stream = await opened(tell(program, "llmlb-tiny", { stream: true }));
    process.kill(still.pid, "SIGSTOP");
    programs.defer(() => void process.kill(still.pid, "SIGCONT"));
    const whole = tell(program, "llmlb-tiny");
    // It shows no sign of life, and neither connection ends.
    expect((await lastOf(stream))?.json).toMatchObject({ error: { code: "upstream" } });
    expect([502, 503]).toContain((await whole).status);
    expect(await statusOf(program, "still")).toBe("offline");
    process.kill(still.pid, "SIGCONT");
    await eventually(async () => (await statusOf(program, "still")) === "online" || undefined);
    expect(await goodbye(program, "llmlb-tiny")).toBe("Goodbye!");
  });

  test("takes an endpoint in when it comes up later", async () => {
    await using programs = new AsyncDisposableStack();
    const port = freePort();
    const program = await balancer([`late=http://127.0.0.1:${port}`]);
    programs.defer(() => program.stop());
    const early = await tell(program, "llmlb-tiny");
    expect(early.status).toBe(503);
    expect(early.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(await early.json()).toMatchObject({ error: { code: "no_endpoint" } });
    expect(await statusOf(program, "late")).toBe("offline");
    const late = await node(port);
    programs.defer(() => late.stop());
    await eventually(async () => (await statusOf(program, "late")) === "online" || undefined);
    expect(await goodbye(program, "llmlb-tiny")).toBe("Goodbye!");
  });
});

async function statusOf({ url }: Program, name: string): Promise<string | undefined> {
  const ready = (await (await fetch(`${url}/ready`)).json()) as {
    endpoints: { name: string; status: string }[];
  };
  return ready.endpoints.find((endpoint) => endpoint.name === name)?.status;
}
