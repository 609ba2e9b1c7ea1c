import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { liveRows } from "../../testkit/liverows.ts";
import { MOUNTS, mountDisk } from "../../testkit/memorydisk.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";

const CHAT = "/v1/chat/completions";
const BODY = { model: "m", messages: [{ role: "user", content: "word ".repeat(2000) }] };

function folder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "llmlb-disk-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test.skipIf(!MOUNTS)("a full disk fails and slows no request", async () => {
  using home = mountDisk("size=1m");
  using a = fakeEndpoint(["m"], () => Response.json({}));
  await using front = await fakeBalancer({ a: a.url }, { home: home.path, historyBodies: "full" });
  const times: number[] = [];
  const endMs = performance.now() + 2000;
  while (performance.now() < endMs) {
    const startMs = performance.now();
    const response = await front.post(CHAT, BODY);
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    times.push(performance.now() - startMs);
  }
  expect(times.length).toBeGreaterThan(200);
  expect(times.sort((x, y) => x - y)[Math.floor(times.length * 0.95)]).toBeLessThan(100);
  const text = await (await fetch(`${front.url}/metrics`)).text();
  const pending = /^llmlb_history_pending (\d+)$/m.exec(text)?.[1];
  expect(Number(pending)).toBeGreaterThan(0);
});

test("kill -9 loses no request that ended more than a second before", async () => {
  using home = folder();
  const script = join(home.path, "child.ts");
  const testkit = (file: string) => JSON.stringify(join(import.meta.dir, "../../testkit", file));
  writeFileSync(
    script,
    `import { fakeBalancer } from ${testkit("balancer.ts")};
     import { MOUNTS, mountDisk } from "../../testkit/memorydisk.ts";
import { fakeEndpoint } from ${testkit("servers/endpoint.ts")};
     const a = fakeEndpoint(["m"], () => Response.json({}));
     const front = await fakeBalancer({ a: a.url }, { home: process.argv[2] });
     for (let i = 0; ; i += 1) {
       const headers = { "x-request-id": "r-" + i };
       await (await front.post("${CHAT}", { model: "m" }, headers)).arrayBuffer();
       process.stdout.write(i + " " + Date.now() + "\\n");
       await Bun.sleep(2);
     }`,
  );
  const child = Bun.spawn([process.execPath, script, home.path], { stdout: "pipe" });
  let output = "";
  let startedAt = Number.POSITIVE_INFINITY;
  for await (const bytes of child.stdout) {
    output += Buffer.from(bytes).toString();
    startedAt = Math.min(startedAt, Date.now());
    if (Date.now() - startedAt > 2000) child.kill("SIGKILL");
  }
  await child.exited;
  const all = output
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
  // By its own word: on a busy machine this process may hear of the end long after it.
  const [, aliveAt = 0] = all.at(-1) ?? [];
  const ended = all.filter(([, at = 0]) => at < aliveAt - 1000);
  expect(ended.length).toBeGreaterThan(20);
  const query = "select request_id from requests";
  const rows = liveRows<{ request_id: string }>(join(home.path, "history.db"), query);
  const recorded = new Set(rows.map(({ request_id }) => request_id));
  expect(ended.filter(([i]) => !recorded.has(`r-${i}`))).toEqual([]);
});
