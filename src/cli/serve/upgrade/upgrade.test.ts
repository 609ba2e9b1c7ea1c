import { expect, test } from "bun:test";
import { createLogger } from "../../../lib/log.ts";
import type { SuccessorMessage } from "./messages.ts";
import type { SpawnSuccessor } from "./successor.ts";
import { type UpgradeParts, upgrade, upgradeProblem } from "./upgrade.ts";

const log = createLogger({ level: "silent" });

type Answer = SuccessorMessage | "ends";

/** An upgrade to a process that answers each message so; all that happens is written down. */
function attempt(answers: Record<string, Answer | Answer[]>) {
  const happened: string[] = [];
  const { promise: exited, resolve } = Promise.withResolvers<{ code: number; signal: null }>();
  const spawn: SpawnSuccessor = ({ env, onMessage }) => {
    const act = (event: string) => {
      for (const answer of [answers[event] ?? []].flat()) {
        if (answer === "ends") resolve({ code: 7, signal: null });
        else onMessage(answer);
      }
    };
    expect(env.LLMLB_SUCCEEDS).toBe(String(process.pid));
    expect(env).toHaveProperty("WATCHDOG_PID", undefined);
    queueMicrotask(() => act("start"));
    return {
      ...{ pid: 4711, exited },
      send: (message) => {
        const { type } = message as { type: string };
        happened.push(`send ${type}`);
        act(type);
      },
      kill: () => {
        happened.push("kill");
        resolve({ code: 0, signal: null });
      },
    };
  };
  const noting = (name: string) => () => void happened.push(name);
  const parts: UpgradeParts = {
    ...{ log, port: 1234, spawn, unlock: noting("unlock"), relock: noting("relock") },
    steer: (port) => happened.push(`steer ${port}`) > 0,
    daemon: {
      suspend: async () => void happened.push("suspend"),
      resume: noting("resume"),
      handOver: async () => void happened.push("hand over"),
      engineMemory: async () => ({ host: 99 }),
    },
  };
  return { happened, run: () => upgrade(parts) };
}

const STARTED = { type: "started", version: "2" } as const;

test("everything is handed over once the new process is healthy and listens", async () => {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("ok") });
  const whole = { type: "whole", url: `http://127.0.0.1:${server.port}` } as const;
  const { happened, run } = attempt({
    start: STARTED,
    prepare: whole,
    take: { type: "listening" },
  });
  expect((await run()).pid).toBe(4711);
  expect(happened).toEqual([
    ...["suspend", "unlock", "send prepare", "send take"],
    ...["steer 1234", "hand over", "send engines", "send go"],
  ]);
});

test("one that ends before it has read its settings changes nothing", async () => {
  const { happened, run } = attempt({ start: "ends" });
  await expect(run()).rejects.toThrow("did not come up: it ended with status 7");
  expect(happened).toEqual(["kill"]);
});

test("one that fails with the data folder gives it back, and tells why in its words", async () => {
  const { happened, run } = attempt({
    start: STARTED,
    prepare: [{ type: "failed", reason: "lb.db is from a newer program" }, "ends"],
  });
  await expect(run()).rejects.toThrow("did not come up: lb.db is from a newer program");
  expect(happened).toEqual([
    ...["suspend", "unlock", "send prepare", "kill", "resume", "relock", "kill"],
  ]);
});

test("one that is not healthy does not get the port", async () => {
  using server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: () => new Response("", { status: 500 }),
  });
  const whole = { type: "whole", url: `http://127.0.0.1:${server.port}` } as const;
  const { happened, run } = attempt({ start: STARTED, prepare: whole });
  await expect(run()).rejects.toThrow("its /health answers with status 500");
  expect(happened).toContain("relock");
  expect(happened).not.toContain("send take");
});

test.each([
  ["linux", 20, {}, undefined],
  ["win32", 20, {}, "Windows"],
  ["linux", 1, {}, "container"],
  ["darwin", 20, { XPC_SERVICE_NAME: "llmlb" }, "launchctl kickstart"],
  ["darwin", 20, { XPC_SERVICE_NAME: "application.com.apple.Terminal.1" }, undefined],
  ["linux", 20, { SYSTEMD_EXEC_PID: "20" }, "Type=notify"],
  ["linux", 20, { SYSTEMD_EXEC_PID: "20", NOTIFY_SOCKET: "/run/n" }, undefined],
  // It was started from a shell that systemd started.
  ["linux", 20, { SYSTEMD_EXEC_PID: "19" }, undefined],
] as const)("on %s as process %p with %p: %p", (platform, pid, env, problem) => {
  const found = upgradeProblem({ platform, pid, env });
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(problem);
});
