import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runProgram, startProgram, temporaryHome } from "../../testkit/command.ts";
import { eventually } from "../../testkit/eventually.ts";
import { listPidFiles } from "../process/pidfile.ts";

/** Real processes, on machines that may be busy. */
setDefaultTimeout(30_000);

/** A standalone llmlb on free ports, once its node listens. */
async function startStandalone(home: string) {
  const child = startProgram(["--port", "0", "--node-port", "0"], { home });
  const entry = await eventually(() => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    return listPidFiles(home).find(({ node_url: url }) => url !== undefined);
  });
  return { child, entry, nodeUrl: entry.node_url ?? "" };
}

/** Settles when nothing answers there any more. */
const gone = (url: string) =>
  eventually(() =>
    fetch(`${url}/health`, { keepalive: false }).then(
      () => undefined,
      () => true,
    ),
  );

describe("llmlb serve", () => {
  test("runs a balancer and a node, and ends both in good order at SIGTERM", async () => {
    using home = temporaryHome();
    const { child, entry, nodeUrl } = await startStandalone(home.path);
    expect(entry).toMatchObject({ pid: child.pid, mode: "standalone" });
    expect((await fetch(`${entry.url}/health`)).status).toBe(200);
    await eventually(async () => {
      const { endpoints } = (await (await fetch(`${entry.url}/ready`)).json()) as {
        endpoints: { name: string; status: string }[];
      };
      return (
        endpoints.some(({ name, status }) => name === "local" && status === "online") || undefined
      );
    });
    const taken = await runProgram(["node", "--port", String(entry.port)], { home: home.path });
    expect(taken.stderr).toContain(
      `the port is in use by llmlb (standalone, process ${child.pid})`,
    );
    expect(taken.code).toBe(1);
    const second = await runProgram(["balancer", "--port", "0"], { home: home.path });
    expect(second.stderr).toContain(`is in use by llmlb (standalone, process ${child.pid}`);
    expect(second.code).toBe(1);

    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(listPidFiles(home.path)).toEqual([]);
    expect(existsSync(join(home.path, "run", `serve-${entry.port}.json`))).toBe(false);
    await gone(nodeUrl);
    const log = await Bun.file(join(home.path, "logs", "llmlb.log")).text();
    expect(log).toContain('"msg":"serve.stopped"');
    expect(await new Response(child.stdout).text()).toBe("");
  });

  test("leaves no process behind when it is killed", async () => {
    using home = temporaryHome();
    const { child, nodeUrl } = await startStandalone(home.path);
    child.kill("SIGKILL");
    await child.exited;
    await gone(nodeUrl);
  });
});

test("llmlb doctor finds fault with a broken config.json", async () => {
  using home = temporaryHome();
  await Bun.write(join(home.path, "config.json"), "{");
  const { code, stdout } = await runProgram(["doctor"], { home: home.path });
  expect(stdout).toMatch(/^FAIL {2}Settings .*config\.json:1:2: is not valid JSON/m);
  expect(code).toBe(1);
});
