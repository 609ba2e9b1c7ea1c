import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { openai, says, TINY } from "../src/testkit/clients.ts";
import { within } from "../src/testkit/eventually.ts";
import { ANSWER_MS_MAX, faultOf } from "../src/testkit/malformed/errorshape.ts";
import { BODY_LIMIT_BYTES, malformedRequests } from "../src/testkit/malformed/requests.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(60_000);

const requests = malformedRequests();
const paths = [...new Set(requests.map(({ path }) => path))];

let program: Program;
let enginePid: number;
beforeAll(async () => {
  program = await Program.start({ args: ["--body-limit", String(BODY_LIMIT_BYTES)] });
  await goodbye();
  enginePid = program.enginePid(TINY);
});
afterAll(() => program?.stop());

async function goodbye() {
  const request = { model: TINY, messages: says("Goodbye"), temperature: 0 };
  const { choices } = await openai(program).chat.completions.create(request);
  return choices[0]?.message.content;
}

test("there are several hundred malformed requests", () => {
  expect(requests.length).toBeGreaterThan(400);
});

describe.each(["balancer", "node"])("a %s refuses malformed requests", (part) => {
  const url = () => (part === "node" ? program.nodeUrl : program.url);

  test.each(paths)("to %s", async (path) => {
    const faults: string[] = [];
    for (const request of requests.filter((one) => one.path === path)) {
      const fault = await faultOf(url(), request);
      if (fault !== undefined) faults.push(`${request.what.slice(0, 200)}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  test.each([
    ["no HTTP", "hello\r\n\r\n"],
    ["a header without end", `GET /health HTTP/1.1\r\nx: ${"x".repeat(200_000)}`],
    ["two lengths", "POST /v1/models HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\na"],
    ["no length", "POST /v1/models HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
    ["a wrong chunk", "POST /v1/models HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ])("that are no HTTP: %s", async (_, bytes) => {
    const answer = await within(ANSWER_MS_MAX, sendRaw(url(), bytes));
    expect(answer).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
  });

  test("and serves on", async () => {
    expect(await goodbye()).toBe("Goodbye!");
    expect(program.enginePid(TINY)).toBe(enginePid);
    expect(program.processes()).toContain(enginePid);
  });
});

test("a client that leaves in the middle of its body harms nobody", async () => {
  const head =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  for (const url of [program.url, program.nodeUrl]) {
    await sendRaw(url, `${head}Content-Length: 1000\r\n\r\n{"model":`, { leave: true });
  }
  expect(await goodbye()).toBe("Goodbye!");
});

/** What a server says to these bytes until it closes the connection. */
function sendRaw(url: string, bytes: string, { leave = false } = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = "";
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
    if (leave) socket.write(bytes, "latin1", () => socket.destroy());
    else socket.end(bytes, "latin1");
  });
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => socket.destroy()); // reset: as good as closed
  socket.on("close", () => resolve(heard));
  return promise;
}
