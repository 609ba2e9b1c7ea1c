import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { runProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { safetensorsRepo, tinyRepo, variantsRepo } from "../src/testkit/servers/hub/samples.ts";
import { thirdPartyServer } from "../src/testkit/servers/thirdparty.ts";

setDefaultTimeout(60_000);

const LLAMA = "hf/acme/Llama-3-8B-GGUF";

describe("a balancer", () => {
  let hub: Hub;
  let program: Program;
  const start = (home?: string) =>
    Program.start({
      ...{ mode: "balancer", untilReady: false, args: ["--health-interval", "200ms"] },
      ...(home === undefined ? {} : { home }),
      env: { HF_ENDPOINT: hub.url },
    });

  beforeAll(async () => {
    hub = await startHub();
    for (const repo of [variantsRepo(), safetensorsRepo(), tinyRepo()]) await hub.add(repo);
    program = await start();
  });
  afterAll(async () => {
    await program?.stop();
    await hub?.[Symbol.asyncDispose]();
  });

  async function call(method: string, path: string, body?: object) {
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const response = await fetch(program.url + path, { method, ...init });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  test("registers what an address of the hub names, and lists it for clients", async () => {
    const repo = `${hub.url}/acme/Llama-3-8B-GGUF/tree/main?x=y`;
    const { status, body } = await call("POST", "/api/models/register", { repo });
    expect(status).toBe(201);
    expect(body).toMatchObject({ id: LLAMA, status: "registered", size_bytes: 4000 });
    expect((await call("GET", `/v1/models/${LLAMA}`)).body).toMatchObject({
      ...{ id: LLAMA, object: "model", ready: false, lifecycle_status: "registered" },
      ...{ owned_by: "load balancer", size_bytes: 4000, repo: "acme/Llama-3-8B-GGUF" },
    });
    const again = await call("POST", "/v0/models/register", { repo: "acme/Llama-3-8B-GGUF" });
    expect(again).toMatchObject({
      status: 409,
      body: { error: { type: "invalid_request_error" } },
    });
    const none = await call("POST", "/api/models/register", { repo: "acme/none" });
    expect(none).toMatchObject({ status: 404, body: { error: { code: "hub_repo_not_found" } } });
  });

  test("knows a model by all its names, whatever endpoints call it", async () => {
    using server = thirdPartyServer("llama_server", ["llmlb-tiny-Q8_0"]);
    const cli = (...args: string[]) => runProgram([...args], { home: program.home });
    expect(await cli("model", "add", "llmlb/tiny-GGUF:Q8_0", "--alias", "tiny")).toMatchObject({
      code: 0,
    });
    expect(await cli("endpoint", "add", server.url, "--name", "a")).toMatchObject({ code: 0 });
    const id = "hf/llmlb/tiny-GGUF/llmlb-tiny-Q8_0.gguf";
    const ready = await eventually(async () => {
      const { body } = await call("GET", "/v1/models/tiny");
      return body.ready === true ? body : undefined;
    }, 20_000);
    expect(ready).toMatchObject({ id, endpoint_ids: ["a"] });
    const short = "llmlb/tiny-GGUF";
    for (const model of ["tiny", id, short, `${short}:Q8_0`, `${short}:q8_0`]) {
      const body = { model, messages: [{ role: "user", content: "Hello" }] };
      expect((await call("POST", "/v1/chat/completions", body)).status).toBe(200);
    }
    expect((await cli("model", "list")).stdout).toMatch(/tiny-GGUF\S* +ready/);
    expect(await cli("endpoint", "rm", "a")).toMatchObject({ code: 0 });
  });

  test("still knows after an abrupt end, and tells nodes without the hub", async () => {
    await call("POST", "/api/models/register", { repo: "acme/Qwen3-0.6B" });
    const { home } = program;
    program.signal("SIGKILL");
    await program.exited;
    const before = program;
    hub.fail({ on: "api", mishap: { status: 503 } });
    hub.fail({ on: "resolve", mishap: { status: 503 } });
    program = await start(home);
    const list = (await call("GET", "/api/models")).body;
    expect(list).toMatchObject({ total: 3, complete: true });
    const manifest = await call("GET", "/api/models/registry/acme%2FQwen3-0.6B/manifest.json");
    expect(manifest.body.artifacts.length).toBeGreaterThan(4);
    hub.faults.clear();
    expect((await call("DELETE", `/api/models/${encodeURIComponent(LLAMA)}`)).status).toBe(204);
    expect((await call("GET", `/v1/models/${LLAMA}`)).status).toBe(404);
    await program.stop();
    program = before;
  });
});
