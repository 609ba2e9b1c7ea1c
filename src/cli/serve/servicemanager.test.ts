import { expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { eventually } from "../../testkit/eventually.ts";
import { tellServiceManager } from "./servicemanager.ts";

const log = createLogger({ level: "silent" });

function told(env: Record<string, string>, isReady: () => Promise<boolean>) {
  const states: string[] = [];
  const send = (socket: string, state: string) => states.push(`${socket} ${state}`) > 0;
  return { states, manager: tellServiceManager({ env, isReady, log, send, pollMs: 1 }) };
}

test("systemd hears when it is ready, not before, and that it ends", async () => {
  let asked = 0;
  const { states, manager } = told({ NOTIFY_SOCKET: "/s" }, async () => ++asked === 3);
  await eventually(() => states.length > 0 || undefined);
  expect([asked, states]).toEqual([3, ["/s READY=1"]]);
  manager.stopping();
  manager.close();
  expect(states).toEqual(["/s READY=1", "/s STOPPING=1"]);
});

test("systemd hears which process is the service now, and then nothing more", async () => {
  const watchdog = { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "4000" };
  const { states, manager } = told(watchdog, async () => true);
  await eventually(() => states.includes("/s READY=1") || undefined);
  manager.succeededBy(4711);
  const count = states.length;
  await Bun.sleep(20);
  expect(states).toHaveLength(count);
  expect(states.at(-1)).toBe("/s MAINPID=4711");
});

test("signs of life come while systemd watches this process", async () => {
  const watchdog = { NOTIFY_SOCKET: "@a", WATCHDOG_USEC: "4000", WATCHDOG_PID: `${process.pid}` };
  const { states, manager } = told(watchdog, async () => false);
  await eventually(() => states.length > 2 || undefined);
  manager.close();
  expect(new Set(states)).toEqual(new Set(["@a WATCHDOG=1"]));
  const other = told({ ...watchdog, WATCHDOG_PID: "1" }, async () => true);
  await eventually(() => other.states.length > 0 || undefined);
  other.manager.close();
  expect(other.states).toEqual(["@a READY=1"]);
});

test("nobody is asked or told anything where no service manager asks", () => {
  const { states, manager } = told({}, async () => {
    throw new Error("asked");
  });
  manager.stopping();
  manager.close();
  expect(states).toEqual([]);
});
