import { afterAll, expect, test } from "bun:test";
import { runProgram, temporaryHome } from "../../testkit/command.ts";
import { listPidFiles, writePidFile } from "../process/pidfile.ts";

const device = {
  name: "CPU",
  description: "a processor",
  type: "cpu",
  total_memory_bytes: 2 ** 31,
  free_memory_bytes: 2 ** 30,
};
const models = [{ id: "m", state: "loading", slots: 4, progress: 0.5 }];

/** A balancer and its node in one. */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: {
    "/health": () => Response.json({ status: "ok", version: "1.2.3" }),
    "/ready": () =>
      Response.json(
        { status: "no_endpoint", endpoints: [{ name: "gpu", status: "offline", models: 1 }] },
        { status: 503 },
      ),
    "/v1/models": () => Response.json({ data: [{ id: "m", ready: false, endpoint_ids: ["gpu"] }] }),
    "/api/system": () =>
      Response.json({
        device: { device_type: "cpu", gpu_devices: [] },
        devices: [device],
        llmlb_version: "1.2.3",
        bun_version: "1",
        llama_cpp_version: "v0",
        slots: { total: 4, busy: 0 },
        models,
      }),
  },
});
afterAll(() => server.stop(true));

const url = server.url.origin;

test("llmlb status shows health, endpoints, models and devices of what runs here", async () => {
  using home = temporaryHome();
  const started = new Date(Date.now() - 65_000).toISOString();
  const entry = { pid: process.pid, started_at: started, mode: "standalone", url } as const;
  writePidFile(home.path, { ...entry, port: 1 });
  const { code, stdout } = await runProgram(["status"], { home: home.path });
  expect(code).toBe(0);
  expect(stdout).toContain(
    `${url}  no_endpoint\n  standalone, llmlb 1.2.3, process ${process.pid}`,
  );
  expect(stdout).toMatch(/, up 6\d(\.\d)? s, llama\.cpp v0\n/);
  expect(stdout).toMatch(/^ {4}gpu {2}offline {2}1 model$/m);
  expect(stdout).toMatch(/^ {4}m {2}loading 50 % {2}gpu$/m);
  expect(stdout).toMatch(/^ {4}CPU {2}cpu {2}a processor {2}1 GiB of 2 GiB free$/m);
});

test("llmlb status says so where the models are not told for want of a key", async () => {
  using home = temporaryHome();
  const error = { message: "A key is needed." };
  using guarded = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    routes: {
      "/health": () => Response.json({ status: "ok" }),
      "/*": () => Response.json({ error }, { status: 401 }),
    },
  });
  const args = ["status", "--url", guarded.url.origin];
  const { code, stdout } = await runProgram(args, { home: home.path });
  expect(code).toBe(0);
  expect(stdout).toContain("  Models\n    A key is needed. (HTTP 401)\n    Send a key: --api-key");
});

test("llmlb status --json of a named server is for programs", async () => {
  using home = temporaryHome();
  const { stdout } = await runProgram(["status", "--json", "--url", url], { home: home.path });
  expect(JSON.parse(stdout)).toMatchObject({
    servers: [{ url, health: { status: "ok" }, ready: { status: "no_endpoint" }, models: [{}] }],
  });
});

test("llmlb status without any server ends with exit code 3", async () => {
  using home = temporaryHome();
  const env = { LLMLB_PORT: "9" };
  const { code, stderr } = await runProgram(["status"], { home: home.path, env });
  expect(stderr).toContain("No llmlb answers at http://127.0.0.1:9");
  expect(code).toBe(3);
});

test("a run file of a dead process is passed over, and one's own removed", () => {
  using home = temporaryHome();
  const entry = { started_at: "2026-01-01T00:00:00Z", mode: "node", url } as const;
  writePidFile(home.path, { ...entry, pid: 2 ** 22 + 1, port: 1 });
  const own = writePidFile(home.path, { ...entry, pid: process.pid, port: 2 });
  own.update({ node_url: "http://n" });
  expect(listPidFiles(home.path)).toMatchObject([{ port: 2, node_url: "http://n" }]);
  own.remove();
  expect(listPidFiles(home.path)).toEqual([]);
});
