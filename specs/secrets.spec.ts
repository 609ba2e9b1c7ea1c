import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { certificateFlags, makeCertificate } from "../src/testkit/certificate.ts";
import { says, TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { leakyEndpoint } from "../src/testkit/servers/leaky.ts";

setDefaultTimeout(120_000);

const random = () => crypto.randomUUID().replaceAll("-", "");

/** What is planted, by what it is; more are added as llmlb makes them. */
const canaries: Record<string, string> = {
  endpointKey: `sk-endpoint-${random()}`,
  configuredKey: `sk-configured-${random()}`,
  providerKey: `sk-provider-${random()}`,
  hubToken: `hf_${random()}`,
  adminPassword: `admin-${random()}`,
  keyPassword: `password-${random()}`,
};
const env: Record<string, string> = {
  OPENAI_API_KEY: canaries.providerKey ?? "",
  HF_TOKEN: canaries.hubToken ?? "",
  LLMLB_ADMIN_PASSWORD: canaries.adminPassword ?? "",
  LLMLB_TLS_KEY_PASSWORD: canaries.keyPassword ?? "",
};

const home = temporaryHome();
const nodeHome = temporaryHome();
const leaky = leakyEndpoint();
let front: Program;
let node: Program;
/** Everything that anybody was told, with where. */
const told: [where: string, text: string][] = [];

beforeAll(async () => {
  const certificate = makeCertificate({
    name: "front",
    password: env.LLMLB_TLS_KEY_PASSWORD ?? "",
  });
  env.OPENAI_BASE_URL = leaky.url;
  env.LLMLB_ENDPOINTS = `configured=http://${canaries.configuredKey}@127.0.0.1:${leaky.port}/one`;
  const log = ["--log-level", "debug", "--log-file", join(home.path, "all.log")];
  front = await Program.start({
    ...{ home: home.path, env, untilReady: false },
    args: [...certificateFlags(home.path, certificate), "--access", "required", ...log],
  });
});
afterAll(async () => {
  await node?.kill();
  await front?.kill();
  leaky.stop();
  for (const one of [home, nodeHome]) one[Symbol.dispose]();
});

/** A command of the home, whose output is kept; `secret` is what it prints on purpose. */
async function command(args: string[], secret?: RegExp): Promise<string> {
  const { code, stdout, stderr } = await runProgram(args, { home: home.path, env });
  const text = stdout + stderr;
  const kept = secret === undefined ? text : text.replaceAll(new RegExp(secret, "g"), "");
  told.push([`llmlb ${args.slice(0, 2).join(" ")}`, kept]);
  expect([args, code, text]).toEqual([args, 0, expect.any(String)]);
  return text;
}

async function ask(path: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(front.url + path, { ...init, tls: { rejectUnauthorized: false } });
  const head = `${response.status} ${JSON.stringify([...response.headers])}`;
  const text = `${head}\n${await response.text()}`;
  told.push([`${init.method ?? "GET"} ${path.split("?")[0]}`, text]);
  return text;
}

const chat = (model: string, headers: Record<string, string>, more: object = {}) =>
  ask("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model, messages: says("Hello"), max_tokens: 4, ...more }),
  });

/** Where a canary is found, of all texts; empty if nowhere. */
function leaks(texts: [string, string][]): string[] {
  return texts.flatMap(([where, text]) =>
    Object.entries(canaries)
      .filter(([, value]) => text.includes(value))
      .map(([name, value]) => `${name} in ${where}: …${around(text, value)}…`),
  );
}

function around(text: string, value: string): string {
  const at = text.indexOf(value);
  return text.slice(Math.max(0, at - 80), at + 20);
}

function filesBelow(folder: string, names: (name: string) => boolean): [string, string][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => names(name) && statSync(join(folder, name)).isFile())
    .map((name) => [name, readFileSync(join(folder, name), "latin1")]);
}

/** What the pid file of the balancer says. */
function pidFile(): string {
  const files = filesBelow(join(home.path, "run"), (name) => name.startsWith("serve-"));
  return files.map(([, text]) => text).join();
}

/** Files that are there to keep a secret, which only their owner can read. */
const KEEPERS = /^(?:secret\.key|local\.key|node\.json|key\.pem|login\.json|config\.json)$/;

/** The client's key in every way that it can be sent, to what answers with all it was told. */
async function askAsClient(): Promise<void> {
  const bearer = { authorization: `Bearer ${canaries.clientKey}` };
  expect(await chat(TINY, bearer)).toStartWith("200");
  for (const model of [...leaky.models, "openai:gpt-leaky", "none-of-these"]) {
    for (const headers of [bearer, { "x-api-key": canaries.clientKey ?? "" }]) {
      await chat(model, headers);
      await chat(model, headers, { stream: true });
    }
  }
  await ask(`/v1/models?key=${canaries.clientKey}`);
  await ask(`/nowhere/${canaries.clientKey?.slice(3)}?key=${canaries.clientKey}`);
  await ask("/v1/chat/completions", { method: "POST", headers: bearer, body: "{" });
  await ask("/v1/models", {
    headers: { authorization: `Basic ${btoa(`:${canaries.clientKey}`)}` },
  });
  await ask("/v1/models", { headers: { authorization: `Bearer ${canaries.clientKey}x` } });
  await ask("/api/endpoints", { headers: { authorization: `Bearer ${canaries.localKey}x` } });
  // It was an hour ago that somebody used this one.
  const { token } = canaries;
  const enrol = { token, node_id: crypto.randomUUID(), name: "x", version: "1", port: 9, slots: 1 };
  const body = JSON.stringify({ ...enrol, api_key: canaries.nodeKey, models: [] });
  const json = { "content-type": "application/json" };
  expect(await ask("/api/nodes", { method: "POST", headers: json, body })).toContain("used_up");
}

/** What the operator sees. */
async function askAsOperator(): Promise<void> {
  const local = { authorization: `Bearer ${canaries.localKey}` };
  for (const path of [
    ...["/metrics", "/api/endpoints", "/api/enrolment-tokens", "/api/queue/stats", "/api/usage"],
    ...["/api/metrics/cloud", "/ready", "/health", "/api/models", "/api/api-keys", "/api/users"],
    ...["/api/requests?limit=200", "/api/audit", "/api/dashboard/request-responses"],
  ]) {
    await ask(path, { headers: local });
  }
  for (const args of [["status"], ["status", "--json"], ["config"], ["config", "--json"]]) {
    await command(args);
  }
  await command(["endpoint", "show", "added", "--json"]);
  await command(["endpoint", "tokens", "--json"]);
}

test("nothing that llmlb says to anybody has a secret in it", async () => {
  canaries.clientKey =
    /sk_\w{32}/.exec(await command(["key", "add", "one"], /sk_\w{32}/))?.[0] ?? "";
  const token =
    /enrol_[\w-]+/.exec(await command(["endpoint", "token"], /enrol_[\w-]+/))?.[0] ?? "";
  canaries.token = token;
  canaries.localKey = readFileSync(join(home.path, "local.key"), "utf8").trim();
  expect(Object.values(canaries).filter((value) => value.length < 20)).toEqual([]);
  const add = ["endpoint", "add", `${leaky.url}/two`, "--name", "added", "--key", "-"];
  const added = await runProgram(add, { home: home.path, env, stdin: canaries.endpointKey ?? "" });
  told.push(["llmlb endpoint add", added.stdout + added.stderr]);

  const [, fingerprint = ""] = /"(sha256:\w{64})"/.exec(pidFile()) ?? [];
  node = await Program.start({
    ...{ mode: "node", home: nodeHome.path, untilReady: false, env: { LLMLB_TOKEN: token } },
    args: [
      "--join",
      front.url,
      "--fingerprint",
      fingerprint,
      "--name",
      "joined",
      "--log-level",
      "debug",
    ],
  });
  await eventually(async () => {
    const { stdout } = await runProgram(["endpoint", "show", "joined"], { home: home.path, env });
    return stdout.includes("online") || undefined;
  }, 40_000);
  const identity = JSON.parse(readFileSync(join(nodeHome.path, "node.json"), "utf8"));
  canaries.nodeKey = identity.key;
  canaries.nodeCredential = identity.joined.credential;

  await askAsClient();
  // Both endpoints and the cloud did repeat their keys.
  const repeated = told.filter(([, text]) => text.includes("provided: Bearer ***. You sent"));
  expect(repeated.length).toBeGreaterThan(leaky.models.length);
  await askAsOperator();
  expect(leaks(told)).toEqual([]);
});

test.skipIf(process.platform !== "linux")("no process shows a secret to its users", () => {
  const all = [...front.processes(), ...node.processes()];
  expect(all.length).toBeGreaterThan(3);
  const texts = all.flatMap((pid): [string, string][] => {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "latin1");
    const command: [string, string] = [`command line of ${pid}`, read("cmdline")];
    // What the user gave the first process stands in its environment, and only there.
    const isFirst = pid === front.pid || pid === node.pid;
    const own: [string, string][] = isFirst
      ? []
      : [[`environment of ${read("cmdline")}`, read("environ")]];
    return [command, ...own];
  });
  expect(leaks(texts)).toEqual([]);
});

test("neither do crashes, refused starts, logs and databases", async () => {
  process.kill(front.enginePid(TINY), "SIGSEGV");
  const log = () => readFileSync(join(home.path, "all.log"), "utf8");
  await eventually(() => log().includes("engine.crashed") || undefined, 10_000);
  const bearer = { authorization: `Bearer ${canaries.clientKey}` };
  await chat(TINY, bearer);
  const refused = await runProgram(["serve", "--port", new URL(front.url).port], {
    ...{ home: nodeHome.path, env: { ...env, LLMLB_TLS_CERT: join(home.path, "cert.pem") } },
  });
  expect(refused.code).not.toBe(0);
  const wrong = await runProgram(["serve", "--port", "0"], {
    home: nodeHome.path,
    env: {
      ...{ ...env, LLMLB_TLS_CERT: join(home.path, "cert.pem") },
      ...{
        LLMLB_TLS_KEY: join(home.path, "key.pem"),
        LLMLB_TLS_KEY_PASSWORD: `${env.LLMLB_TLS_KEY_PASSWORD}x`,
      },
    },
  });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("does not open")]);
  await node.stop();
  await front.stop();
  const written = [home.path, nodeHome.path].flatMap((folder) =>
    filesBelow(folder, (name) => !KEEPERS.test(name) && !name.includes("llmlb-tiny")),
  );
  const names = written.map(([name]) => name);
  expect(names).toEqual(expect.arrayContaining(["all.log", "lb.db", "history.db"]));
  const outputs: [string, string][] = [
    ["a refused start", refused.stdout + refused.stderr],
    ["a wrong password", wrong.stdout + wrong.stderr],
    ["the node's log", node.lines.join("\n")],
    ["the log on stderr", front.lines.join("\n")],
  ];
  expect(leaks([...told, ...outputs, ...written])).toEqual([]);
  for (const name of ["secret.key", "local.key", "lb.db", "history.db"]) {
    const path = join(home.path, name);
    expect([name, existsSync(path) && statSync(path).mode & 0o077]).toEqual([name, 0]);
  }
});
