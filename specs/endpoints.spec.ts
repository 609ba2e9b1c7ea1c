import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { post } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type ThirdPartyKind, thirdPartyServer } from "../src/testkit/servers/thirdparty.ts";
import { stage } from "../src/testkit/stage.ts";
import type { EndpointDetail, EndpointList } from "../src/wire/endpoint.ts";

setDefaultTimeout(60_000);

const FAST = ["--health-interval", "200ms", "--health-timeout", "500ms"];

async function api<T>(program: Program, path: string): Promise<T> {
  return (await (await fetch(`${program.url}/api/endpoints${path}`)).json()) as T;
}

/** The endpoint once it is as wanted. */
function until(program: Program, name: string, wanted: Partial<EndpointDetail>) {
  return eventually(async () => {
    const { endpoints } = await api<EndpointList>(program, `?name=${name}`);
    const found = endpoints[0];
    const fits = Object.entries(wanted).every(
      ([key, value]) => Reflect.get(found ?? {}, key) === value,
    );
    return fits && found !== undefined ? found : undefined;
  }, 20_000);
}

async function chat(program: Program, model: string): Promise<number> {
  return (await post(`${program.url}/v1/chat/completions`, { model, messages: [] })).status;
}

describe("a balancer", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start({ mode: "balancer", untilReady: false, args: FAST });
  });
  afterAll(() => program?.stop());
  const cli = (...args: string[]) => runProgram(["endpoint", ...args], { home: program.home });

  test.each<[ThirdPartyKind, string, number | undefined]>([
    ["ollama", "qwen3:8b", undefined],
    ["vllm", "Qwen/Qwen3-8B", 4096],
    ["sglang", "Qwen/Qwen3-8B", 4096],
    ["lm_studio", "qwen/qwen3-8b", undefined],
    ["llama_server", "qwen3.gguf", 8192],
    ["openai_compatible", "gpt-x", undefined],
  ])("sees that %s is what answers, and serves from it", async (kind, model, maxTokens) => {
    using server = thirdPartyServer(kind, [model, "nomic-embed-text"]);
    expect(await cli("add", server.url, "--name", kind)).toMatchObject({ code: 0 });
    const { id } = await until(program, kind, { status: "online", kind, model_count: 2 });
    const { models } = await api<EndpointDetail>(program, `/${id}`);
    const found = models.find(({ model_id }) => model_id === model);
    expect(found?.max_tokens).toBe(maxTokens as number);
    expect(await chat(program, model)).toBe(200);
    expect(await cli("rm", kind)).toMatchObject({ code: 0, stdout: `Removed ${kind}\n` });
    expect((await fetch(`${program.url}/v1/models/${model}`)).status).toBe(404);
  });

  test.each(["500", "html", "hang"] as const)(
    "takes one off that answers %s, and on again",
    async (fault) => {
      using server = thirdPartyServer("vllm", ["m"]);
      await cli("add", server.url, "--name", `odd-${fault}`);
      const { id } = await until(program, `odd-${fault}`, { status: "online" });
      server.fault = fault;
      const off = await until(program, `odd-${fault}`, { status: "offline" });
      expect(off.last_error).toContain("GET /v1/models");
      expect(off.model_count).toBe(1);
      expect(off.error_count).toBeGreaterThanOrEqual(2);
      server.fault = "none";
      await until(program, `odd-${fault}`, { status: "online", error_count: 0, last_error: null });
      const history = await eventually(async () => {
        const { checks } = await api<{ checks: { status_after: string }[] }>(
          program,
          `/${id}/checks`,
        );
        const states = new Set(checks.map(({ status_after }) => status_after));
        return states.size === 3 ? states : undefined;
      });
      expect([...history].sort()).toEqual(["error", "offline", "online"]);
      await cli("rm", `odd-${fault}`);
    },
  );

  test("is managed from the command line", async () => {
    using server = thirdPartyServer("ollama", ["a", "b"]);
    const added = await cli("add", server.url, "--name", "box", "--slots", "3", "--json");
    expect(JSON.parse(added.stdout)).toMatchObject({ name: "box", slots: 3, model_count: 2 });
    const again = await cli("add", server.url);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("HTTP 409")]);
    await until(program, "box", { kind: "ollama" });
    expect((await cli("list")).stdout).toMatch(/^box +online +ollama +2 +0\/3 .*127\.0\.0\.1/m);
    expect((await cli("show", "box")).stdout).toMatch(/^ {2}Models +a, b$/m);
    server.models = ["b", "c"];
    expect((await cli("test", "box")).stdout).toContain("models: b, c");
    expect((await cli("sync", "box")).stdout).toContain("box: 0 added, 0 removed, 2 as before");
    server.fault = "500";
    const failed = await cli("test", "box");
    expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining("HTTP 500")]);
    expect((await cli("sync", "box")).stderr).toContain("HTTP 502");
    expect(await cli("show", "none")).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining("There are: box") },
    });
    await cli("rm", "box");
    const dead = await cli("add", "http://127.0.0.1:9", "--name", "dead");
    expect([dead.code, dead.stdout]).toEqual([
      0,
      expect.stringContaining("but it does not answer: "),
    ]);
    expect((await cli("list", "--kind", "vllm")).stdout).toContain("There are no such");
    expect((await cli("list")).stdout).toMatch(/^dead +(pending|offline) /m);
    await cli("rm", "dead");
  });

  test("is drained and undrained from the command line, over a restart", async () => {
    using server = thirdPartyServer("vllm", ["m"]);
    const home = temporaryHome();
    const start = () =>
      Program.start({ mode: "balancer", untilReady: false, args: FAST, home: home.path });
    const own = (...args: string[]) => runProgram(["endpoint", ...args], { home: home.path });
    let other = await start();
    try {
      await own("add", server.url, "--name", "box");
      await until(other, "box", { status: "online" });
      const drained = await own("drain", "box");
      expect(drained).toMatchObject({
        ...{ code: 0, stdout: "box gets no further requests; nothing runs on it\n" },
      });
      await other.stop();
      other = await start();
      await until(other, "box", { status: "online", draining: true });
      expect(await chat(other, "m")).toBe(503);
      expect((await own("list")).stdout).toMatch(/^box +online, drained +/m);
      expect((await own("undrain", "box")).stdout).toBe("box gets requests again\n");
      expect(await chat(other, "m")).toBe(200);
    } finally {
      await other.stop();
      home[Symbol.dispose]();
    }
  });

  test("is changed from the command line, without a key in its arguments", async () => {
    using server = thirdPartyServer("vllm", ["a"]);
    using other = thirdPartyServer("vllm", ["a", "b"]);
    await cli("add", server.url, "--name", "old", "--notes", "rack 1");
    const more = ["--slots", "2", "--interval", "1m", "--timeout", "90s"];
    const wanted = { slots: 2, health_check_interval_secs: 60, inference_timeout_secs: 90 };
    const changed = await cli("set", "old", "--name", "new", ...more, "--json");
    expect(changed).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(changed.stdout)).toMatchObject({ name: "new", notes: "rack 1", ...wanted });

    const { home } = program;
    const keyed = await runProgram(["endpoint", "set", "new", "--key", "-"], {
      home,
      stdin: "sekret\n",
    });
    expect(keyed).toMatchObject({ code: 0, stdout: expect.stringContaining("Changed new") });
    await eventually(() => server.keys.includes("Bearer sekret") || undefined);
    expect((await until(program, "new", { status: "online" })).has_api_key).toBe(true);

    const moved = await cli("set", "new", "--base-url", other.url, "--clear", "key,slots,notes");
    expect(moved.stdout).toContain(`Changed new: ${other.url}, 2 models`);
    const left = await until(program, "new", { status: "online" });
    expect(left).toMatchObject({ has_api_key: false, slots: null, notes: null });
    expect(left.health_check_interval_secs).toBe(60);

    for (const [args, words] of [
      [[], "Nothing to change"],
      [["--slots", "none"], "--slots none"],
      [["--clear", "name"], "--clear name"],
    ] as const) {
      const failed = await cli("set", "new", ...args);
      expect([failed.code, failed.stderr]).toEqual([2, expect.stringContaining(words)]);
    }
    const short = await cli("set", "new", "--interval", "5s");
    expect([short.code, short.stderr]).toEqual([1, expect.stringContaining("from 10 to 300")]);
    await cli("rm", "new");
  });
});

test("behind a proxy, far endpoints are reached through it, and this machine without", async () => {
  using near = thirdPartyServer("vllm", ["near"]);
  const models = { object: "list", data: [{ id: "far" }] };
  const asked: string[] = [];
  // A proxy for plain requests is a server that is asked for whole URLs.
  const proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      asked.push(request.url);
      if (request.url === "http://far.invalid/v1/models") return Response.json(models);
      if (request.method === "POST") return Response.json({ choices: [] });
      return new Response("none", { status: 404 });
    },
  });
  const env = { HTTP_PROXY: proxy.url.href, https_proxy: "http://127.0.0.1:9" };
  const args = [...FAST, "-e", `near=${near.url}`, "-e", "far=http://far.invalid"];
  const program = await Program.start({ mode: "balancer", untilReady: false, args, env });
  try {
    await until(program, "far", { status: "online" });
    await until(program, "near", { status: "online" });
    expect([await chat(program, "far"), await chat(program, "near")]).toEqual([200, 200]);
    const listed = await runProgram(["endpoint", "list"], { home: program.home, env });
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^far +online/m) });
    expect(asked).toContain("http://far.invalid/v1/chat/completions");
    expect(asked.filter((url) => !url.startsWith("http://far.invalid/"))).toEqual([]);
  } finally {
    await program.stop();
    await proxy.stop(true);
  }
});

describe("a restart", () => {
  const { start: startProgram, newHome } = stage();
  const start = (home: string, args: string[] = []) =>
    startProgram({ mode: "balancer", home, untilReady: false, args });

  test.each(["stop", "kill"] as const)(
    "(%s) loses no endpoint, model, latency or check",
    async (how) => {
      using server = thirdPartyServer("vllm", ["m"]);
      const home = newHome();
      const program = await start(home);
      const key = { base_url: server.url, api_key: "sk-secret", slots: 5, notes: "mine" };
      const added = await post(`${program.url}/api/endpoints`, { name: "gpu", ...key });
      expect(added.status).toBe(201);
      await until(program, "gpu", { status: "online", kind: "vllm" });
      for (let i = 0; i < 3; i += 1) expect(await chat(program, "m")).toBe(200);
      await Bun.sleep(1000);
      const before = await until(program, "gpu", {});
      expect(before.inference_latency_ms).not.toBeNull();
      await program[how]();

      server.fault = "hang";
      const again = await start(home);
      const after = await until(again, "gpu", {});
      const kept = [
        "id",
        "name",
        "base_url",
        "kind",
        "slots",
        "notes",
        "has_api_key",
        "model_count",
      ];
      for (const field of [...kept, "inference_latency_ms", "registered_at", "last_seen"]) {
        expect(Reflect.get(after, field)).toEqual(Reflect.get(before, field));
      }
      const { checks } = await api<{ checks: object[] }>(again, `/${after.id}/checks`);
      expect(checks.length).toBeGreaterThanOrEqual(1);
      server.fault = "none";
      await until(again, "gpu", { status: "online" });
      expect(await chat(again, "m")).toBe(200);
    },
  );

  test("with another secret.key says whose API key cannot be read", async () => {
    using server = thirdPartyServer("vllm", ["m"]);
    const home = newHome();
    const program = await start(home);
    const key = { name: "gpu", base_url: server.url, api_key: "sk-secret" };
    expect((await post(`${program.url}/api/endpoints`, key)).status).toBe(201);
    await program.stop();
    rmSync(join(home, "secret.key"));
    const again = await start(home);
    const list = await runProgram(["endpoint", "list"], { home });
    expect(list.stdout).toContain("gpu: its API key cannot be read");
    const set = await runProgram(["endpoint", "set", "gpu", "--key", "-"], { home, stdin: "sk-2" });
    expect(set.code).toBe(0);
    const mended = await runProgram(["endpoint", "list"], { home });
    expect(mended.stdout).not.toContain("cannot be read");
    await again.stop();
  });

  test("keeps to the configuration what came from it", async () => {
    using a = thirdPartyServer("vllm", ["m"]);
    using b = thirdPartyServer("ollama", ["n"]);
    const home = newHome();
    const first = await start(home, ["-e", `a=${a.url}`, "-e", `b=${b.url}/v1`]);
    const { id } = await until(first, "a", { status: "online", source: "config" });
    await until(first, "b", { kind: "ollama" });
    const refused = await runProgram(["endpoint", "rm", "a"], { home });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("--endpoint")]);
    await first.stop();
    const second = await start(home, ["-e", `renamed=${a.url}/`]);
    expect(await until(second, "renamed", { status: "online" })).toMatchObject({ id });
    expect((await api<EndpointList>(second, "")).total).toBe(1);
    await second.stop();
  });

  test("takes in what an earlier program had", async () => {
    const home = newHome();
    const node = { machine_name: "old", ip_address: "127.0.0.1", runtime_port: 8 };
    const more = {
      id: crypto.randomUUID(),
      status: "online",
      registered_at: "2026-01-01T00:00:00Z",
    };
    writeFileSync(join(home, "nodes.json"), JSON.stringify([{ ...node, ...more }]));
    const program = await start(home);
    expect(await until(program, "old", {})).toMatchObject({ base_url: "http://127.0.0.1:9" });
    await program.stop();
  });
});
