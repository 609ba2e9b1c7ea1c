import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { says } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { freePort } from "../src/testkit/freeport.ts";
import { liveRows } from "../src/testkit/liverows.ts";
import { killIfThere } from "../src/testkit/processes.ts";
import { Program } from "../src/testkit/program.ts";
import { type ScriptedEndpoint, scriptedEndpoint } from "../src/testkit/servers/scripted.ts";
import { chunksOf } from "../src/testkit/servers/translating.ts";

setDefaultTimeout(60_000);

const NGINX = Bun.which("nginx") ?? Bun.which("nginx", { PATH: "/usr/sbin" });
const CHAT = { model: "m", messages: says("Hello"), stream: true };

/** A stream whose events come when they are let go; `[DONE]` is the last. */
function heldStream() {
  const [first] = chunksOf([{ content: "Hello" }]);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const stream = new ReadableStream<string>({
    async start(controller) {
      controller.enqueue(`data: ${JSON.stringify(first)}\n\n`);
      await held;
      controller.enqueue("data: [DONE]\n\n");
      controller.close();
    },
  });
  const headers = { "content-type": "text/event-stream" };
  return { answer: () => new Response(stream, { headers }), letGo };
}

/** Sends a chat from another address of this machine; settles once the last byte is there. */
function askFrom(localAddress: string, url: string, headers: Record<string, string>) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sent = request(
    `${url}/v1/chat/completions`,
    { method: "POST", localAddress, headers: { "content-type": "application/json", ...headers } },
    (response) => void response.resume().on("end", resolve),
  );
  sent.on("error", reject).end(JSON.stringify({ ...CHAT, stream: false }));
  return promise;
}

/** Who the history says the client of a request was. */
function clientOf(home: string, id: string): Promise<string> {
  return eventually(() => {
    const query = "select client_ip from requests where request_id = ?";
    const rows = liveRows<{ client_ip: string }>(join(home, "history.db"), query, id);
    return rows[0]?.client_ip;
  });
}

let endpoint: ScriptedEndpoint;
let program: Program;
beforeAll(async () => {
  endpoint = scriptedEndpoint("m");
  const args = ["--endpoint", endpoint.url, "--trusted-proxies", "127.0.0.1"];
  program = await Program.start({ mode: "balancer", args });
});
afterAll(async () => {
  await program?.stop();
  endpoint[Symbol.dispose]();
});

test("a stream says that nobody is to hold it back, an answer in one piece does not", async () => {
  const { answer, letGo } = heldStream();
  endpoint.next.push(answer);
  letGo();
  const ask = (stream: boolean) =>
    fetch(`${program.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...CHAT, stream }),
    });
  const streamed = await ask(true);
  expect(streamed.headers.get("x-accel-buffering")).toBe("no");
  expect(streamed.headers.get("cache-control")).toBe("no-cache");
  expect((await ask(false)).headers.has("x-accel-buffering")).toBe(false);
});

// Elsewhere a machine has but one address of its own.
test.skipIf(process.platform !== "linux")(
  "the client is who a trusted proxy says, and nobody else is asked",
  async () => {
    const forwarded = { "x-forwarded-for": "203.0.113.7" };
    await askFrom("127.0.0.1", program.url, { ...forwarded, "x-request-id": "trusted" });
    await askFrom("127.0.0.2", program.url, { ...forwarded, "x-request-id": "stranger" });
    expect(await clientOf(program.home, "trusted")).toBe("203.0.113.7");
    expect(await clientOf(program.home, "stranger")).toBe("127.0.0.2");
  },
);

describe.skipIf(NGINX === null)("behind nginx as it comes", () => {
  let nginx: ReturnType<typeof Bun.spawn>;
  let folder: string;
  let url: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "llmlb-nginx-"));
    const port = freePort();
    url = `http://127.0.0.1:${port}`;
    mkdirSync(join(folder, "tmp"));
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/tmp/${name};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${program.url};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
    );
    nginx = Bun.spawn([NGINX ?? "", "-p", folder, "-c", join(folder, "nginx.conf")], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    await eventually(() =>
      fetch(`${url}/health`).then(
        (r) => r.ok || undefined,
        () => undefined,
      ),
    );
  });
  afterAll(async () => {
    killIfThere(nginx.pid);
    await nginx.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test("a stream comes event by event", async () => {
    const { answer, letGo } = heldStream();
    endpoint.next.push(answer);
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(CHAT),
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    expect(new TextDecoder().decode(first.value)).toContain("Hello");
    letGo();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += new TextDecoder().decode(value);
    }
    expect(rest).toContain("[DONE]");
  });

  test("the history has the client's address, not nginx's", async () => {
    const evil = { "x-forwarded-for": "203.0.113.7" };
    await askFrom("127.0.0.3", url, { ...evil, "x-request-id": "behind" });
    // What the client itself wrote before counts for nothing.
    expect(await clientOf(program.home, "behind")).toBe("127.0.0.3");
  });
});
