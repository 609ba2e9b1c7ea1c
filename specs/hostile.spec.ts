import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fakeBalancer } from "../src/testkit/balancer.ts";
import { says } from "../src/testkit/clients.ts";
import { TINY_FILE } from "../src/testkit/engine.ts";
import { rightBody, withEachText } from "../src/testkit/hostile/bodies.ts";
import { POLLUTION, SQL, TRAVERSALS } from "../src/testkit/hostile/texts.ts";
import { Program } from "../src/testkit/program.ts";
import { type FakeEndpoint, fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { rawClient } from "../src/testkit/servers/tcp.ts";
import { ROUTE_LIST } from "../src/wire/route.ts";

setDefaultTimeout(120_000);

const PASSWORD = "correct horse battery";
const JSON_TYPE = { "content-type": "application/json" };

let endpoint: FakeEndpoint;
let program: Program;
/** May do everything; the credential of this home. */
let local = "";
let routes: string[] = [];

beforeAll(async () => {
  endpoint = fakeEndpoint(["m"], async (request) => {
    await request.bytes();
    return Response.json({ choices: [{ message: { role: "assistant", content: "hi" } }] });
  });
  program = await Program.start({
    mode: "balancer",
    args: [
      "--access",
      "required",
      "--endpoint",
      `e=${endpoint.url}`,
      "--hf-endpoint",
      endpoint.url,
    ],
    env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
  });
  local = readFileSync(join(program.home, "local.key"), "utf8").trim();
  await using balancer = await fakeBalancer({});
  const all = balancer.balancer.app.routes.filter(({ method }) => method !== "ALL");
  routes = [...new Set(all.map(({ method, path }) => `${method} ${path}`))];
});
afterAll(async () => {
  await program?.stop();
  endpoint?.[Symbol.dispose]();
});
// Whatever was sent, others are served.
afterEach(async () => expect(await chat({})).toBe(200));

interface Sent {
  body?: object | string;
  headers?: Record<string, string>;
}

async function send(route: string, { body, headers }: Sent = {}): Promise<[number, string]> {
  const [method = "", path = ""] = route.split(" ");
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const response = await fetch(program.url + path, {
    method,
    headers: { ...JSON_TYPE, authorization: `Bearer ${local}`, ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  return [response.status, await response.text()];
}

async function chat(more: object): Promise<number> {
  const body = { model: "m", messages: says("hi"), ...more };
  return (await send("POST /v1/chat/completions", { body }))[0];
}

const read = async <T>(path: string) => JSON.parse((await send(`GET ${path}`))[1]) as T;

interface Account {
  users: { username: string; role: string }[];
}

/** Routes that take a body, with a place in their path filled. */
const withBody = () => routes.filter((route) => rightBody(route) !== undefined).map(filled);
const filled = (route: string) => [route, route.replace(/:\w+|\*/g, "none")] as const;

/** The source may run without its dashboard. */
const isPage = (text: string) => /<!doctype html>|dashboard_missing/i.test(text);

/** What is wrong with an answer to something hostile; undefined if nothing is. */
function faultIn([status, text]: [number, string]): string | undefined {
  // 501: what Ollama's clients would manage; 502: the hub, which has no such model.
  const isServers = status >= 500 && status !== 501 && status !== 502 && !isPage(text);
  const tells = /sqlite|syntax error|no such (?:table|column)|near "|\bat \/|root:x:/i;
  return isServers || tells.test(text) ? `${status} ${text.slice(0, 300)}` : undefined;
}

async function faultsOf(requests: [string, Sent][]): Promise<string[]> {
  const faults: string[] = [];
  for (const [route, sent] of requests) {
    const fault = faultIn(await send(route, sent));
    if (fault !== undefined)
      faults.push(`${route} ${JSON.stringify(sent).slice(0, 200)}: ${fault}`);
  }
  return faults;
}

test("every route that takes a body is known here", () => {
  const inference = new Set(ROUTE_LIST.map(({ path }) => `POST ${path}`));
  const taking = routes.filter((route) => !/^(?:GET|DELETE) /.test(route));
  const unknown = taking.filter(
    (route) => !inference.has(route) && !route.includes("/v1/") && rightBody(route) === undefined,
  );
  expect(unknown).toEqual([]);
});

describe("SQL", () => {
  test("in every text of every body is text", async () => {
    const before = await read<Account>("/api/users");
    const requests = withBody().flatMap(([route, url]) =>
      SQL.flatMap((sql) => withEachText(rightBody(route) ?? {}, sql)).map(
        (body): [string, Sent] => [url, { body }],
      ),
    );
    expect(requests.length).toBeGreaterThan(300);
    expect(await faultsOf(requests)).toEqual([]);
    const { users } = await read<Account>("/api/users");
    const names = users.map(({ username }) => username);
    for (const { username } of before.users) expect(names).toContain(username);
    expect(users.filter(({ role }) => role === "admin")).toHaveLength(1);
    // What may be any text is kept as it came.
    const { keys } = await read<{ keys: { name: string; notes: string }[] }>("/api/keys");
    for (const sql of SQL) expect(keys.map(({ name }) => name)).toContain(sql);
  });

  test("in every path and query finds nothing", async () => {
    const places = ["model", "status", "user", "key", "endpoint", "cursor", "from", "by", "q"];
    // Events go on until somebody leaves.
    const endless = ["GET /api/events"];
    const gets = routes.filter((route) => route.startsWith("GET ") && !endless.includes(route));
    const requests = gets.flatMap((route) =>
      SQL.flatMap((sql): [string, Sent][] => {
        const text = encodeURIComponent(sql);
        const inPath = route.replace(/:\w+|\*/g, text);
        const queries = places.map((name): [string, Sent] => [
          `${filled(route)[1]}?${name}=${text}`,
          {},
        ]);
        return inPath === route ? queries : [[inPath, {}], ...queries];
      }),
    );
    expect(await faultsOf(requests)).toEqual([]);
  });

  test("logs nobody in", async () => {
    for (const sql of SQL) {
      const bodies = [
        { username: "admin", password: sql },
        { username: sql, password: sql },
      ];
      for (const body of bodies) {
        const [status] = await send("POST /api/auth/login", {
          body,
          headers: { authorization: "" },
        });
        expect([401, 429]).toContain(status);
      }
      const [status] = await send("GET /api/users", {
        headers: { authorization: `Bearer ${sql}` },
      });
      expect(status).toBe(401);
    }
  });
});

/** Sends a path as it is: `fetch` would resolve its dots. */
async function getRaw(url: string, path: string, key: string): Promise<string> {
  const client = await rawClient(url);
  const { host } = new URL(url);
  const headers = [`host: ${host}`, `authorization: Bearer ${key}`, "connection: close"];
  client.send([`GET ${path} HTTP/1.1`, ...headers, "", ""].join("\r\n"));
  return client.closed;
}

describe("names that lead elsewhere", () => {
  test("find nothing on a balancer", async () => {
    const places = routes.filter((route) => /^GET .*[:*]/.test(route));
    const secret = readFileSync(join(program.home, "secret.key"), "latin1");
    for (const route of [...places, "GET /*", "GET /dashboard/*"]) {
      for (const name of TRAVERSALS) {
        const path = route.slice(4).replace(/:\w+|\*/g, () => name);
        const answer = await getRaw(program.url, path, local);
        // Without what is no answer at all: a path that is none closes the connection.
        const isRefused = /^$|^HTTP\/1\.1 4\d\d /.test(answer) || isPage(answer);
        const isFound = answer.includes(secret) || answer.includes("root:");
        expect([path, isRefused, isFound]).toEqual([path, true, false]);
      }
    }
  });

  test("find nothing on a node, which serves files", async () => {
    const node = await Program.start({ mode: "node", untilReady: false });
    const secret = readFileSync(TINY_FILE).subarray(0, 64).toString("latin1");
    for (const name of [...TRAVERSALS, "..", ".", "..%2f", "%2e"]) {
      for (const path of [
        `/api/models/files/${name}/${name}`,
        `/api/models/files/llmlb-tiny/${name}`,
        `/api/models/files/${name}/config.json`,
        `/v1/models/${name}`,
      ]) {
        const answer = await getRaw(node.url, path, "none");
        expect([path, answer.slice(0, 12)]).toEqual([
          path,
          expect.stringMatching(/^$|^HTTP\/1\.1 4/),
        ]);
        expect([path, answer.includes(secret), answer.includes("root:")]).toEqual([
          path,
          false,
          false,
        ]);
      }
    }
    const before = readdirSync(node.home).sort();
    for (const model of TRAVERSALS) {
      const response = await fetch(`${node.url}/api/models/pull`, {
        ...{ method: "POST", headers: JSON_TYPE, body: JSON.stringify({ model }) },
      });
      expect([model, response.status >= 400]).toEqual([model, true]);
    }
    expect(readdirSync(node.home).sort()).toEqual(before);
    await node.stop();
  });
});

test("fields that every object has change none, in any body", async () => {
  const paths = ROUTE_LIST.map(({ path }) => `POST ${path}`);
  const requests = [...withBody(), ...paths.map(filled)].flatMap(([route, url]) =>
    POLLUTION.map((field): [string, Sent] => {
      const right = JSON.stringify(rightBody(route) ?? { model: "m", messages: says("hi") });
      const comma = right === "{}" ? "" : ",";
      return [url, { body: `{${field}${comma}${right.slice(1)}` }];
    }),
  );
  expect(await faultsOf(requests)).toEqual([]);
  const { users } = await read<Account>("/api/users");
  expect(users.filter(({ role }) => role === "admin")).toHaveLength(1);
  const lists = ["/api/keys", "/api/endpoints", "/api/invitations", "/v1/models", "/api/auth/me"];
  for (const path of lists)
    expect([path, await send(`GET ${path}`)]).not.toMatchObject([
      path,
      [200, expect.stringContaining("polluted")],
    ]);
  const { keys } = await read<{ keys: { permissions: string[] }[] }>("/api/keys");
  expect(keys.slice(1).filter(({ permissions }) => permissions.includes("users.manage"))).toEqual(
    [],
  );
});

test("100,000 levels are refused in every body", async () => {
  const deep = [
    "[".repeat(100_000),
    `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
  ];
  const paths = ROUTE_LIST.map(({ path }) => `POST ${path}`);
  for (const [route, url] of [...withBody(), ...paths.map(filled)]) {
    // Routes without a body do not read this one either.
    const isRead = Object.keys(rightBody(route) ?? { model: "m" }).length > 0;
    for (const body of deep) {
      const [status, text] = await send(url, { body });
      const isRefused = (status >= 400 && status < 500) || status === 501;
      expect([url, isRefused || !isRead, text.length < 2000]).toEqual([url, true, true]);
    }
  }
});
