import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Chromium, findChromium } from "../src/testkit/chromium.ts";
import { says } from "../src/testkit/clients.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { type FakeEndpoint, fakeEndpoint } from "../src/testkit/servers/endpoint.ts";

setDefaultTimeout(90_000);

const path = findChromium();

const CHAT = { model: "m", messages: says("hi") };
const PAGE = "<!doctype html><title>evil</title><form></form>";

/** A site of somebody else, on this machine; `evil.example` leads to it, too. */
function site() {
  return Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    fetch: () => new Response(PAGE, { headers: { "content-type": "text/html" } }),
  });
}

interface Reply {
  what: string;
  /** 0: the page was told nothing, by an error or an opaque answer. */
  status: number;
  text: string;
}

/** What a page tries against the server at `url`; each settles with what the page got to know. */
function attacks(url: string): string {
  const bodies: Record<string, object> = {
    "/api/endpoints": { name: "evil", base_url: "http://127.0.0.1:1" },
    "/api/users": { username: "evil", role: "admin", password: "evil password" },
    "/api/keys": { name: "evil" },
    "/api/models/register": { repo: "evil/evil" },
    "/v1/chat/completions": CHAT,
    "/v1/messages": { ...CHAT, max_tokens: 9 },
    "/api/chat": CHAT,
  };
  return `(async () => {
    const url = ${JSON.stringify(url)}, bodies = ${JSON.stringify(bodies)}, out = [];
    const ask = async (what, path, init) => {
      try {
        const answer = await fetch(url + path, { credentials: "include", ...init });
        out.push({ what: what + " " + path, status: answer.status, text: await answer.text() });
      } catch { out.push({ what: what + " " + path, status: 0, text: "" }); }
    };
    const json = { "content-type": "application/json" };
    for (const [path, value] of Object.entries(bodies)) {
      const body = JSON.stringify(value);
      await ask("json", path, { method: "POST", headers: json, body });
      await ask("text", path, { method: "POST", mode: "no-cors", body });
      await ask("no type", path, { method: "POST", mode: "no-cors", body: new Blob([body]) });
      const fields = new URLSearchParams(value);
      await ask("form", path, { method: "POST", mode: "no-cors", body: fields });
      navigator.sendBeacon(url + path, body);
      const frame = document.createElement("iframe");
      frame.name = "f" + out.length;
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, { method: "POST", action: url + path, enctype: "text/plain" });
      form.target = frame.name;
      const input = document.createElement("input");
      input.name = body.slice(0, -1) + ',"notes":"';
      input.value = '"}';
      form.append(input);
      document.body.append(form);
      const loaded = new Promise((resolve) => {
        frame.onload = resolve;
        setTimeout(resolve, 2000);
      });
      form.submit();
      await loaded;
    }
    await ask("delete", "/api/endpoints/e", { method: "DELETE" });
    await ask("patch", "/api/users/admin", { method: "PATCH", headers: json, body: "{}" });
    for (const path of ["/v1/models", "/api/endpoints", "/api/keys", "/api/users", "/api/auth/me",
      "/api/requests", "/api/tags", "/metrics", "/health"]) await ask("get", path, {});
    return out;
  })()`;
}

describe.skipIf(path === undefined)("in a browser", () => {
  let endpoint: FakeEndpoint;
  let browser: Chromium;
  let evil: ReturnType<typeof site>;
  const programs: Program[] = [];
  beforeAll(async () => {
    endpoint = fakeEndpoint(["m"], () => Response.json({ choices: [] }));
    evil = site();
    browser = await Chromium.start(path ?? "");
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    for (const program of programs) await program.stop();
    await evil?.stop(true);
    endpoint?.[Symbol.dispose]();
  });

  async function start(...args: string[]): Promise<Program> {
    const program = await Program.start({
      ...{ mode: "balancer", args: ["--endpoint", `e=${endpoint.url}`, ...args] },
      env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
    });
    programs.push(program);
    return program;
  }

  /** What pages may want to change. */
  async function state(program: Program) {
    const people = new People(program);
    const lists = ["/api/endpoints", "/api/users", "/api/keys", "/api/models"];
    const texts = lists.map(async (list) => (await people.local(`GET ${list}`)).json());
    const [all, users, keys, models] = (await Promise.all(texts)) as Record<string, object[]>[];
    const { endpoints = [] } = all ?? {};
    const names = endpoints.map((one) => (one as { name: string }).name);
    const { length } = endpoint.requests;
    return { names, users: users?.users?.length, keys: keys?.keys?.length, models, length };
  }

  async function attack(program: Program, page: string): Promise<Reply[]> {
    const before = await state(program);
    const opened = await browser.open(page);
    const replies = (await opened.run(attacks(program.url))) as Reply[];
    expect(replies.length).toBeGreaterThan(30);
    expect(await state(program)).toEqual(before);
    return replies;
  }

  const told = (replies: Reply[]) => replies.filter(({ status }) => status !== 0);

  test("a page of another site does and reads nothing where nobody needs a key", async () => {
    const program = await start();
    const { port } = evil;
    expect(told(await attack(program, `http://evil.example:${port}/`))).toEqual([]);
    // The same by the name under which the browser takes both for one site.
    const local = told(await attack(program, `http://127.0.0.1:${port}/`));
    const read = local.filter(({ status }) => status < 400).map(({ what }) => what);
    expect(read.filter((what) => /\/api\/(?!tags)/.test(what))).toEqual([]);
  });

  test("nor by the cookie of somebody who has logged in", async () => {
    const program = await start("--access", "required");
    const page = await new People(program).loggedIn();
    const cookie = page.cookies.get("llmlb_session") ?? "";
    await browser.setCookie(program.url, "llmlb_session", cookie);
    const { port } = evil;
    for (const host of ["evil.example", "127.0.0.1", "localhost"]) {
      const replies = told(await attack(program, `http://${host}:${port}/`));
      const read = replies.filter(({ text }) => /admin|"e"|permissions/.test(text));
      expect([host, read]).toEqual([host, []]);
    }
    // The server's own page can, with the token that it alone reads.
    const own = await browser.open(`${program.url}/health`);
    const make = (token: string) =>
      own.run(`fetch("/api/users", { method: "POST", body: '{"username":"eve"}', headers: {
        "content-type": "application/json", "x-csrf-token": ${JSON.stringify(token)} } })
        .then((answer) => answer.status)`);
    expect(await make("")).toBe(403);
    expect(await make(page.csrfToken ?? "")).toBe(201);
  });

  test("nor does one whose name is pointed at this machine (DNS rebinding)", async () => {
    const first = site();
    const { port } = first;
    const page = await browser.open(`http://evil.example:${port}/`);
    await first.stop(true);
    // Now the browser takes this for the page's own server.
    const program = await start("--port", String(port));
    const before = await state(program);
    const replies = (await page.run(attacks(""))) as Reply[];
    const refused = replies.filter(({ status }) => status === 403);
    expect(refused.length).toBeGreaterThan(20);
    expect(replies.filter(({ status }) => status !== 403)).toEqual([]);
    for (const { text } of refused) expect(text).toContain("evil.example");
    expect(await state(program)).toEqual(before);
  });
});
