import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fakeBalancer } from "../testkit/balancer.ts";
import { temporaryHome } from "../testkit/command.ts";
import { MOUNTS, mountDisk } from "../testkit/memorydisk.ts";

type Told = { status: number; body: { error: Record<string, unknown> } };

async function told(answer: Promise<Response>): Promise<Told> {
  const response = await answer;
  return { status: response.status, body: (await response.json()) as Told["body"] };
}

test.skipIf(!MOUNTS)("a full disk is 507, which names the file to operators", async () => {
  using disk = mountDisk("size=4m");
  await using front = await fakeBalancer({}, { home: disk.path });
  const { bavail, bsize } = statfsSync(disk.path);
  writeFileSync(join(disk.path, "filler"), new Uint8Array(bavail * bsize));
  const endpoint = {
    name: "a".repeat(100),
    base_url: "http://127.0.0.1:9",
    notes: "x".repeat(900),
  };
  const { status, body } = await told(front.post("/api/endpoints", endpoint));
  expect({ status, ...body.error }).toMatchObject({
    ...{ status: 507, code: "storage_full", type: "server_error" },
    message: `Using ${join(disk.path, "lb.db")} failed: the disk is full. Make room on it; what \
waits is written then.`,
  });
});

test("a damaged file is 503, without its path for clients, and with it for operators", async () => {
  using home = temporaryHome();
  await using front = await fakeBalancer({}, { home: home.path });
  const endpoint = { name: "a", base_url: "http://127.0.0.1:9" };
  const { id } = (await (await front.post("/api/endpoints", endpoint)).json()) as { id: string };
  const path = join(home.path, "history.db");
  const other = new Database(path);
  other.run("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
  writeFileSync(path, "x".repeat(statSync(path).size));
  const client = await told(fetch(`${front.url}/v1/responses/resp_1`));
  expect(client.status).toBe(503);
  expect(client.body.error).toMatchObject({
    code: "storage_damaged",
    message:
      "The request needs llmlb's storage, which is damaged. Tell whoever runs it; the log has \
more.",
  });
  const operator = await told(fetch(`${front.url}/api/endpoints/${id}/checks`));
  expect(operator.status).toBe(503);
  expect(operator.body.error.message).toStartWith(`Using ${path} failed: the file is damaged`);
});
