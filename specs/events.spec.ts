import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { Browser } from "../src/testkit/browser.ts";
import { TINY } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { LiveEvent, RecentMetrics } from "../src/wire/event.ts";

setDefaultTimeout(60_000);

const ADMIN = { LLMLB_ADMIN_PASSWORD: "correct horse" };
let program: Program;
let admin: Browser;
beforeAll(async () => {
  program = await Program.start({ args: ["--access", "required"], env: ADMIN });
  admin = new Browser(program.url);
  await admin.logIn("admin", "correct horse");
});
afterAll(() => program.stop());

/** Events as they come, with the id of the last one. */
async function follow(browser: Browser, lastId?: string) {
  const headers = lastId === undefined ? {} : { "last-event-id": lastId };
  const response = await browser.send("GET /api/events", undefined, headers);
  const events: LiveEvent[] = [];
  const reader = response.body?.getReader();
  const seen = { id: "", isOver: false };
  const decoder = new TextDecoder();
  void (async () => {
    let rest = "";
    for (;;) {
      const part = await reader?.read().catch(() => undefined);
      if (part?.value === undefined) break;
      const blocks = (rest + decoder.decode(part.value, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        seen.id = /^id: (.*)$/m.exec(block)?.[1] ?? seen.id;
        if (data !== undefined) events.push(LiveEvent.parse(JSON.parse(data)));
      }
    }
    seen.isOver = true;
  })();
  return {
    status: response.status,
    events,
    seen,
    of: <T extends LiveEvent["type"]>(type: T) =>
      events.filter((event): event is LiveEvent & { type: T } => event.type === type),
    leave: () => reader?.cancel(),
  };
}

async function chat(key: string): Promise<void> {
  const response = await fetch(`${program.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({
      ...{ model: TINY, max_tokens: 8, stream: true },
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
  await response.text();
  expect(response.status).toBe(200);
}

async function newKey(name: string, user?: string): Promise<string> {
  const answer = await admin.send("POST /api/keys", { name, ...(user && { user }) });
  return ((await answer.json()) as { key: string }).key;
}

test("requests are told as they begin and end, and the metrics with them", async () => {
  const page = await follow(admin);
  expect(page.status).toBe(200);
  await chat(await newKey("mine"));
  const [ended] = await eventually(() =>
    page.of("request_ended").length > 0 ? page.of("request_ended") : undefined,
  );
  expect(page.events[0]).toMatchObject({ type: "hello", resumed: false });
  expect(page.of("request_began")[0]?.request).toMatchObject({ model: TINY, streamed: true });
  expect(ended?.request).toMatchObject({
    ...{ model: TINY, api_key_name: "mine", user_name: "admin", http_status: 200, error: null },
    ...{ endpoint_name: "local" },
  });
  expect(ended?.request.output_tokens).toBeGreaterThan(0);
  await eventually(() =>
    page.of("metrics").some(({ metrics }) => metrics.requests_per_s > 0 && metrics.tokens_per_s > 0)
      ? true
      : undefined,
  );
  await page.leave();
});

test("who was away for a moment misses nothing, and gets nothing twice", async () => {
  const key = await newKey("away");
  const before = await follow(admin);
  await eventually(() => (before.seen.id !== "" ? true : undefined));
  await before.leave();
  await chat(key);
  const page = await follow(admin, before.seen.id);
  await eventually(() => (page.of("request_ended").length > 0 ? true : undefined));
  expect(page.events[0]).toMatchObject({ type: "hello", resumed: true });
  expect(page.of("request_began")).toHaveLength(1);
  await page.leave();
  const lost = await follow(admin, "another.0.1");
  await eventually(() => (lost.events.length > 0 ? true : undefined));
  expect(lost.events[0]).toMatchObject({ type: "hello", resumed: false });
  await lost.leave();
});

test("endpoints that are added, fail or go are told", async () => {
  const page = await follow(admin);
  const body = { name: "nobody", base_url: "http://127.0.0.1:9" };
  const added = (await (await admin.send("POST /api/endpoints", body)).json()) as { id: string };
  const isTold = (status: string) =>
    page
      .of("endpoints")
      .some(({ changed }) => changed.some((one) => one.id === added.id && one.status === status));
  await admin.send(`POST /api/endpoints/${added.id}/test`);
  await eventually(() => isTold("offline") || isTold("pending") || undefined);
  await admin.send(`DELETE /api/endpoints/${added.id}`);
  await eventually(
    () => page.of("endpoints").some(({ removed }) => removed.includes(added.id)) || undefined,
  );
  await page.leave();
});

test("who works on which model and who waits is told, also to who comes later", async () => {
  const gate = Promise.withResolvers<void>();
  using held = fakeEndpoint(["held"], async () => {
    await gate.promise;
    return Response.json({ choices: [{ message: { content: "done" } }] });
  });
  const page = await follow(admin);
  const body = { name: "held", base_url: held.url, slots: 1 };
  const { id } = (await (await admin.send("POST /api/endpoints", body)).json()) as { id: string };
  await admin.send(`POST /api/endpoints/${id}/test`);
  const key = await newKey("held");
  const ask = () =>
    fetch(`${program.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: "held", messages: [{ role: "user", content: "Hello" }] }),
    });
  const asked = [ask(), ask()];
  const told = (one: typeof page, load: object, queues: object) =>
    eventually(() => {
      const at = one.of("load").flatMap(({ changed }) => changed);
      const isBusy = Bun.deepEquals(
        at.findLast((change) => change.id === id),
        { id, ...load },
      );
      const waiting = one.of("load").findLast((event) => event.queues !== undefined)?.queues;
      return (isBusy && Bun.deepEquals(waiting, queues)) || undefined;
    });
  await told(page, { active: 1, models: { held: 1 } }, { held: 1 });
  const later = await follow(admin);
  await told(later, { active: 1, models: { held: 1 } }, { held: 1 });
  gate.resolve();
  await Promise.all(asked);
  await told(page, { active: 0, models: {} }, {});
  await admin.send(`DELETE /api/endpoints/${id}`);
  await Promise.all([page.leave(), later.leave()]);
});

test("what a host has in its memory is told when it changes", async () => {
  const page = await follow(admin);
  await chat(await newKey("loads"));
  const isTold = (state: string) =>
    eventually(
      () =>
        page
          .of("hosts")
          .flatMap(({ changed }) => changed.flatMap(({ host }) => host.models))
          .some((one) => one.model === TINY && one.state === state) || undefined,
    );
  await admin.send("POST /api/models/unload", { model: TINY });
  await isTold("cold");
  await admin.send("POST /api/models/load", { model: TINY });
  await isTold("loaded");
  const hosts = page.of("hosts").flatMap(({ changed }) => changed.map(({ host }) => host));
  const memory = hosts.at(-1)?.memories.find(({ name }) => name === "host");
  expect(memory?.total_bytes).toBeGreaterThan(2 ** 30);
  const loaded = hosts.findLast(({ models }) => models[0]?.state === "loaded");
  expect(loaded?.models[0]?.memory?.host).toBeGreaterThan(2 ** 20);
  await page.leave();
});

test("everybody sees his own requests, and nobody without a log-in anything", async () => {
  expect((await fetch(`${program.url}/api/events`)).status).toBe(401);
  const body = { username: "eve", password: "eves own secret" };
  await admin.send("POST /api/users", body);
  const eve = new Browser(program.url);
  await eve.logIn("eve", body.password);
  await eve.send("PUT /api/auth/password", { new_password: "another secret" });
  await eve.logIn("eve", "another secret");
  const page = await follow(eve);
  expect(page.status).toBe(200);
  await chat(await newKey("not hers"));
  await chat(await newKey("hers", "eve"));
  await eventually(() => (page.of("request_ended").length > 0 ? true : undefined));
  expect(page.of("request_began").map(({ request }) => request.api_key_name)).toEqual(["hers"]);
  expect(page.of("request_ended").map(({ request }) => request.api_key_name)).toEqual(["hers"]);
  await page.leave();
});

test("the last hour is kept without anybody looking", async () => {
  const answer = await admin.send("GET /api/metrics/recent");
  const { step_s, points } = RecentMetrics.parse(await answer.json());
  expect(step_s).toBe(10);
  expect(points.length).toBeLessThanOrEqual(360);
});

test("a page that listens does not hold up the end, and the last hour outlives it", async () => {
  using home = temporaryHome();
  const other = await Program.start({ home: home.path });
  const body = { model: TINY, messages: [{ role: "user", content: "Hi" }], max_tokens: 2 };
  await new Browser(other.url).send("POST /v1/chat/completions", body);
  const page = await follow(new Browser(other.url));
  await eventually(() => (page.events.length > 0 ? true : undefined));
  await other.stop();
  await eventually(() => page.seen.isOver || undefined);

  const next = await Program.start({ home: home.path });
  const requests = await eventually(async () => {
    const answer = await fetch(`${next.url}/api/metrics/recent`);
    const { step_s, points } = RecentMetrics.parse(await answer.json());
    return points.map((point) => step_s * point.requests_per_s).find((count) => count > 0);
  });
  expect(Math.round(requests)).toBe(1);
  await next.stop();
});

test("while nothing happens, pages are sent nothing", async () => {
  const quiet = await Program.start({ mode: "balancer", untilReady: false });
  const { port, hostname } = new URL(quiet.url);
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(Number(port), hostname);
    socket.write(`GET /api/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
    socket.on("data", () => undefined);
    return socket;
  });
  const read = () => sockets.map(({ bytesRead }) => bytesRead);
  await eventually(() => read().every((bytes) => bytes > 0) || undefined);
  // One turn of whatever was under way, then several in which nothing is to be told.
  await Bun.sleep(1100);
  const before = read();
  await Bun.sleep(3000);
  expect(read()).toEqual(before);
  for (const socket of sockets) socket.destroy();
  await quiet.stop();
});
