import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { post, says } from "../src/testkit/clients.ts";
import { runProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import type { Program } from "../src/testkit/program.ts";
import { stage } from "../src/testkit/stage.ts";
import type { EndpointList } from "../src/wire/endpoint.ts";

setDefaultTimeout(60_000);

const MODEL = "llmlb-tiny";
const { start, newHome } = stage();

const balancer = (home: string, port = "0") =>
  start({ mode: "balancer", home, untilReady: false, args: ["--port", port] });

async function token(home: string, ...args: string[]): Promise<string> {
  const { stdout, code } = await runProgram(["endpoint", "token", ...args], { home });
  expect(code).toBe(0);
  return stdout.trim();
}

async function endpoints(program: Program) {
  const response = await fetch(`${program.url}/api/endpoints`);
  return ((await response.json()) as EndpointList).endpoints;
}

function until(program: Program, status: string) {
  return eventually(async () => {
    const [first] = await endpoints(program).catch(() => []);
    return first?.status === status ? first : undefined;
  }, 40_000);
}

async function chat(program: Program): Promise<number> {
  const body = { model: MODEL, messages: says("Goodbye"), temperature: 0 };
  return (await post(`${program.url}/v1/chat/completions`, body)).status;
}

test("a node joins with a token, is served from, and leaves in good order", async () => {
  const home = newHome();
  const front = await balancer(home);
  const node = await start({
    mode: "node",
    home: newHome(),
    args: ["--join", front.url, "--token", await token(home), "--name", "rack1"],
  });
  expect(await until(front, "online")).toMatchObject({
    ...{ name: "rack1", base_url: node.url, source: "node", kind: "llmlb" },
    ...{ has_api_key: true, model_count: 1, slots_in_effect: 4 },
    device_info: { device_type: expect.any(String) },
  });
  expect(await chat(front)).toBe(200);
  await node.stop();
  const [gone] = await endpoints(front);
  expect(gone).toMatchObject({ status: "offline" });
  await front.stop();
});

test("a token is good for what it was made for, and no more", async () => {
  const home = newHome();
  const front = await balancer(home);
  const used = await token(home);
  const body = {
    ...{ token: used, node_id: crypto.randomUUID(), name: "n", version: "1", port: 9 },
    ...{ api_key: null, models: [], slots: 1 },
  };
  const enrol = (more: object = {}) => post(`${front.url}/api/nodes`, { ...body, ...more });
  const code = async (response: Response) =>
    ((await response.json()) as { error: { code: string } }).error.code;
  expect((await enrol()).status).toBe(201);
  const another = { node_id: crypto.randomUUID(), port: 10 };
  expect(await code(await enrol(another))).toBe("token_used_up");
  expect(await code(await enrol({ token: "enrol_x" }))).toBe("token_unknown");
  const short = await token(home, "--expires", "1s");
  await Bun.sleep(1100);
  expect(await code(await enrol({ token: short }))).toBe("token_expired");
  const other = await enrol({ token: await token(home), url: "http://169.254.169.254" });
  expect(await code(other)).toBe("forbidden_address");
  const unwanted = await token(home, "--uses", "5", "--note", "for later");
  const { stdout } = await runProgram(["endpoint", "tokens"], { home });
  const [, id = ""] = /^(\S+) +usable +0\/5 .* for later$/m.exec(stdout) ?? [];
  expect(stdout).toMatch(/ used_up +1\/1 /);
  expect(stdout).toMatch(/ expired +0\/1 /);
  expect(stdout).not.toContain("enrol_");
  expect(await runProgram(["endpoint", "token", "--revoke", id], { home })).toMatchObject({
    code: 0,
  });
  expect(await code(await enrol({ token: unwanted }))).toBe("token_revoked");
  const unknown = await runProgram(["endpoint", "token", "--revoke", "none"], { home });
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("no such token")]);
  const stranger = await post(`${front.url}/api/nodes/${body.node_id}/leave`, {});
  expect(stranger.status).toBe(401);
  await front.stop();
});

test("a node does not take over an endpoint that an operator added", async () => {
  const home = newHome();
  const front = await balancer(home);
  const base = "http://127.0.0.1:9";
  const added = await post(`${front.url}/api/endpoints`, { name: "mine", base_url: base });
  expect(added.status).toBe(201);
  const body = {
    ...{ token: await token(home), node_id: crypto.randomUUID(), name: "n", version: "1" },
    ...{ api_key: "stolen", models: [], slots: 1 },
  };
  const refused = await post(`${front.url}/api/nodes`, { ...body, port: 9 });
  expect(refused.status).toBe(409);
  expect(await refused.text()).toContain("llmlb endpoint rm mine");
  expect(await endpoints(front)).toMatchObject([{ name: "mine", has_api_key: false }]);
  // The token is as good as before.
  expect((await post(`${front.url}/api/nodes`, { ...body, port: 10 })).status).toBe(201);
  await front.stop();
});

test("a node is known again after restarts of either side, also after kill -9", async () => {
  const home = newHome();
  const front = await balancer(home);
  const { port } = new URL(front.url);
  const nodeHome = newHome();
  const joining = ["--join", front.url];
  const node = await start({
    ...{ mode: "node", home: nodeHome },
    args: [...joining, "--token", await token(home)],
  });
  const first = await until(front, "online");
  expect(statSync(join(nodeHome, "node.json")).mode & 0o777).toBe(0o600);

  await front.kill();
  const again = await balancer(home, port);
  expect(await until(again, "online")).toMatchObject({ id: first.id, base_url: node.url });
  expect(await chat(again)).toBe(200);

  // On another port, without the token: it is the same endpoint all the same.
  await node.kill();
  const back = await start({ mode: "node", home: nodeHome, args: joining });
  const moved = await eventually(async () => {
    const [one] = await endpoints(again);
    return one?.base_url === back.url && one.status === "online" ? one : undefined;
  });
  expect(moved.id).toBe(first.id);
  expect(await endpoints(again)).toHaveLength(1);
  expect(await chat(again)).toBe(200);
  await back.stop();
  await again.stop();
});

test("a node that others can reach wants its key, which the balancer has", async () => {
  const home = newHome();
  const front = await balancer(home);
  const nodeHome = newHome();
  const node = await start({
    ...{ mode: "node", home: nodeHome },
    args: ["--host", "0.0.0.0", "--join", front.url, "--token", await token(home)],
  });
  const url = node.url.replace("0.0.0.0", "127.0.0.1");
  await until(front, "online");
  expect(await chat(front)).toBe(200);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  const { key } = JSON.parse(readFileSync(join(nodeHome, "node.json"), "utf8")) as { key: string };
  const headers = { authorization: `Bearer ${key}` };
  expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
  // Commands of its own user find the key beside the node.
  const said = await runProgram(["chat", "Goodbye"], { home: nodeHome });
  expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining("Goodbye") });
  const { stdout } = await runProgram(["status"], { home: nodeHome });
  expect(stdout).toContain(MODEL);
  await node.stop();
  await front.stop();
});
