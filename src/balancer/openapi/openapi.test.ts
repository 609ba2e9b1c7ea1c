import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { ZodType } from "zod";
import { ruleOf } from "../../auth/accesstable.ts";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";
import type { OpenApiDocument } from "./document.ts";
import type { Operation } from "./operation.ts";
import { findOperation, PARTS } from "./operations.ts";

// Passwords are hashed, which takes a busy machine its time.
setDefaultTimeout(30_000);

const ADMIN = "local_test";
const OPERATIONS = Object.assign({}, ...Object.values(PARTS)) as Record<string, Operation>;
let front: FakeBalancer;
let endpoint: ReturnType<typeof fakeEndpoint>;
let routes: string[] = [];
let document: OpenApiDocument;
/** By the list that it is in: what was made. */
const made = new Map<string, string>();

beforeAll(async () => {
  endpoint = fakeEndpoint(["qwen3"], () =>
    Response.json({ choices: [{ message: { content: "hi" } }] }),
  );
  front = await fakeBalancer({ a: endpoint.url }, { access: "required" }, ADMIN);
  const { app } = front.balancer;
  routes = [
    ...new Set(
      app.routes.filter(({ method }) => method !== "ALL").map((one) => `${one.method} ${one.path}`),
    ),
  ];
  document = (await (await fetch(`${front.url}/api/openapi.json`)).json()) as OpenApiDocument;
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  endpoint[Symbol.dispose]();
});

async function send(route: string, body?: object): Promise<Response> {
  const [method = "", path = ""] = route.split(" ");
  const base = path.split("/:")[0] ?? "";
  const filled = path.replace(/:\w+/, () => made.get(base) ?? "qwen3").replace("*", "qwen3");
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { "content-type": "application/json", authorization: `Bearer ${ADMIN}` };
  return fetch(front.url + filled, { method, headers, ...json });
}

/** Expects what the document promises: the status, and every field that comes, no other. */
async function expectAnswer(route: string, operation: Operation, response: Response) {
  const text = await response.text();
  const { answer, status = 200, media = "application/json" } = operation;
  expect([route, response.status, response.status === status ? "" : text]).toEqual([
    ...[route, status, ""],
  ]);
  if (status === 204) return undefined;
  expect([route, response.headers.get("content-type")]).toEqual([
    route,
    expect.stringContaining(media),
  ]);
  if (answer === undefined) return undefined;
  const [schema] = Object.values(answer) as [ZodType];
  const json = JSON.parse(text) as { id?: string };
  expect([route, schema.parse(json)]).toEqual([route, json]);
  return json;
}

describe("the OpenAPI document", () => {
  test("has every route of the app, and no other", () => {
    expect(routes.filter((route) => findOperation(route) === undefined)).toEqual([]);
    expect(Object.keys(OPERATIONS).filter((route) => !routes.includes(route))).toEqual([]);
    const listed = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
    expect(listed.length).toBe(routes.length);
  });

  test("is sound: references, names of operations, parameters, permissions", () => {
    const text = JSON.stringify(document);
    for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name);
    }
    const ids: unknown[] = [];
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const operation of Object.values(methods)) {
        ids.push(operation.operationId);
        const parameters = (operation.parameters ?? []) as { name: string; in: string }[];
        const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
        expect([path, inPath]).toEqual([path, path.match(/\{\w+\}/g) ?? []]);
        expect(operation.responses).toHaveProperty("default");
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
    const list = document.paths["/api/endpoints"];
    expect(list?.post).toMatchObject({ "x-permission": "endpoints.manage" });
    expect(list?.get?.parameters).toContainEqual({
      ...{ name: "status", in: "query", required: false },
      schema: { type: "string", enum: ["pending", "online", "error", "offline"] },
    });
    expect(ruleOf("GET /api/openapi.json")).toBe("public");
    expect(document.paths["/v0/endpoints"]?.get).toMatchObject({ deprecated: true });
  });

  test("says what the server answers: its examples, and every list and thing", async () => {
    const own = Object.entries(OPERATIONS).filter(([route]) => !route.includes("/v0/"));
    const isMade = ([, { status }]: [string, Operation]) => status === 201;
    for (const [route, operation] of own.filter(isMade)) {
      if (operation.example === undefined) continue;
      const { id } = (await expectAnswer(
        route,
        operation,
        await send(route, operation.example),
      )) ?? { id: undefined };
      if (id !== undefined) made.set(route.split(" ")[1] ?? "", id);
    }
    let asked = 0;
    for (const [route, operation] of own) {
      const isChange = operation.example !== undefined && operation.status !== 201;
      const isRead = route.startsWith("GET ") && !NOT_READ.has(route);
      if (!isChange && !isRead) continue;
      await expectAnswer(route, operation, await send(route, operation.example));
      asked += 1;
    }
    expect(asked).toBeGreaterThan(40);
    for (const route of ["PATCH /api/keys/:id", "PUT /api/users/:id", "PATCH /api/endpoints/:id"]) {
      const { status } = await send(route, {});
      expect([route, "changed in nothing", status]).toEqual([route, "changed in nothing", 200]);
    }
    const removed = ["endpoints", "keys", "users", "invitations", "enrolment-tokens"];
    for (const name of removed) {
      const route = `DELETE /api/${name}/:id`;
      await expectAnswer(route, OPERATIONS[route] ?? { summary: "" }, await send(route));
    }
  });
});

/** What needs more than a balancer with an endpoint: a node, the hub, a log-in, a stream. */
const NOT_READ = new Set(
  [
    ...["/api/nodes/:id/workers/:name", "/api/nodes/:id/models", "/api/nodes/:id/models/manifest"],
    ...["/api/models/registry/*", "/api/models/*", "/api/events"],
    ...["/api/auth/oidc/login", "/api/auth/oidc/callback", "/api/endpoints/:id/logs"],
    ...["/v1/responses/:id", "/v1/responses/:id/input_items", "/dashboard", "/dashboard/*"],
    ...["/dashboard/assets/*", "/api/requests/:id", "/api/dashboard/request-responses/:id"],
    ...["/api/auth/sessions"],
  ].map((path) => `GET ${path}`),
);

test("the page shows all of it, with nothing from elsewhere and no script", async () => {
  const response = await fetch(`${front.url}/api/docs`);
  const page = await response.text();
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  for (const path of Object.keys(document.paths)) expect(page).toContain(`${path}</code>`);
  expect(page).toContain('<a href="#schema-EndpointDetail">');
  expect(page).not.toMatch(/<script|src=|href="http|@import|url\(/);
  expect(page.length).toBeLessThan(600_000);
});
