import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { post, says } from "../src/testkit/clients.ts";
import { runProgram } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { liveRows } from "../src/testkit/liverows.ts";
import type { Program } from "../src/testkit/program.ts";
import { thirdPartyServer } from "../src/testkit/servers/thirdparty.ts";
import { stage } from "../src/testkit/stage.ts";
import type { EndpointList, EndpointView } from "../src/wire/endpoint.ts";

setDefaultTimeout(60_000);

const { start: startProgram, newHome } = stage();

function start(home: string, args: string[] = []): Promise<Program> {
  return startProgram({ mode: "balancer", home, untilReady: false, args });
}

async function endpoints({ url }: Program): Promise<Map<string, EndpointView>> {
  const answer = (await (await fetch(`${url}/api/endpoints`)).json()) as EndpointList;
  return new Map(answer.endpoints.map((one) => [one.name, one]));
}

async function add(program: Program, name: string, url: string): Promise<void> {
  const added = await runProgram(["endpoint", "add", url, "--name", name], { home: program.home });
  expect(added.code).toBe(0);
}

async function chat({ url }: Program, model: string, id: string): Promise<number> {
  const headers = { "x-request-id": id };
  const body = { model, messages: says("Hello") };
  const response = await post(`${url}/v1/chat/completions`, body, { headers });
  await response.arrayBuffer();
  return response.status;
}

interface Row {
  request_id: string;
  model: string;
  http_status: number;
  endpoint_name: string;
}

/** What the history has on disk. */
function rows(home: string): Row[] {
  const query = "select request_id, model, http_status, endpoint_name from requests";
  return liveRows<Row>(join(home, "history.db"), query);
}

test("kill -9 loses nothing that was answered more than a second before", async () => {
  using busy = thirdPartyServer("vllm", ["b"]);
  using steady = thirdPartyServer("ollama", ["s"]);
  const home = newHome();
  const first = await start(home);
  await add(first, "busy", busy.url);
  await add(first, "steady", steady.url);
  for (let i = 0; i < 5; i += 1) expect(await chat(first, "s", `s-${i}`)).toBe(200);
  const before = (await endpoints(first)).get("steady");
  expect(before?.inference_latency_ms).toBeGreaterThan(0);

  /** When each answer had come, by the id of its request. */
  const answeredAt = new Map<string, number>();
  const asked = new Set<string>();
  let killedAt = Number.POSITIVE_INFINITY;
  const client = async (name: string) => {
    for (let i = 0; Date.now() < killedAt; i += 1) {
      const id = `${name}-${i}`;
      asked.add(id);
      // What the kill cuts off was answered to nobody.
      const status = await chat(first, "b", id).catch(() => undefined);
      if (status === 200) answeredAt.set(id, Date.now());
      await Bun.sleep(2);
    }
  };
  const clients = Array.from({ length: 8 }, (_, i) => client(`c${i}`));
  // At any moment: a batch may just be written, or just not.
  await Bun.sleep(2000 + Math.random() * 1500);
  killedAt = Date.now();
  first.signal("SIGKILL");
  await first.exited;
  await Promise.all(clients);
  for (const one of [busy, steady]) one.fault = "hang";

  const second = await start(home);
  const after = await endpoints(second);
  const kept = [...answeredAt].filter(([, at]) => at < killedAt - 1000).map(([id]) => id);
  expect(kept.length).toBeGreaterThan(100);
  expect(after.get("busy")?.inference_latency_ms).toBeGreaterThan(0);
  expect(after.get("busy")?.successful_requests).toBeGreaterThanOrEqual(kept.length);
  expect(after.get("busy")?.successful_requests).toBeLessThanOrEqual(asked.size);
  for (const field of [
    "id",
    "base_url",
    "kind",
    "inference_latency_ms",
    "registered_at",
  ] as const) {
    expect([field, after.get("steady")?.[field]]).toEqual([field, before?.[field]]);
  }
  expect(after.get("steady")?.successful_requests).toBe(5);

  const found = rows(home);
  const ids = new Set(found.map(({ request_id }) => request_id));
  expect(kept.filter((id) => !ids.has(id))).toEqual([]);
  // Nothing twice, and nothing that nobody asked.
  expect(ids.size).toBe(found.length);
  const busyRows = found.filter(({ model }) => model === "b");
  expect(busyRows.filter(({ request_id }) => !asked.has(request_id))).toEqual([]);
  const good = { http_status: 200, endpoint_name: "busy" };
  for (const row of busyRows) expect(row).toMatchObject(good);
});

/** Whether any file of the data folder has a text in it. */
function onDisk(home: string, text: string): boolean {
  const files = readdirSync(home, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .some((file) => readFileSync(join(file.parentPath, file.name)).includes(text));
}

test.each([
  ["none", false],
  ["redacted", false],
  ["full", true],
] as const)("with --history-bodies %s, what was said is on disk: %p", async (policy, kept) => {
  using server = thirdPartyServer("vllm", ["m"]);
  const home = newHome();
  const program = await start(home, ["--history-bodies", policy, "-e", `a=${server.url}`]);
  await eventually(async () => (await fetch(`${program.url}/ready`)).ok || undefined);
  const picture = Buffer.from(crypto.getRandomValues(new Uint8Array(600))).toString("base64");
  const messages = says(`the password is swordfish, see data:image/png;base64,${picture}`);
  const headers = { authorization: "Bearer sk_very_private_key" };
  const body = { model: "m", messages };
  const answer = await post(`${program.url}/v1/chat/completions`, body, { headers });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  await program.stop();
  expect(rows(home)).toHaveLength(1);
  expect(onDisk(home, "swordfish")).toBe(kept);
  expect(onDisk(home, picture.slice(0, 100))).toBe(false);
  expect(onDisk(home, "sk_very_private_key")).toBe(false);
});
