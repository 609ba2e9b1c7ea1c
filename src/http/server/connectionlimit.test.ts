import { expect, test } from "bun:test";
import { createLogger } from "../../lib/log.ts";
import { createApp } from "./app.ts";
import { mayTakeConnections } from "./connectionlimit.ts";
import { Drain } from "./drain.ts";
import { listen } from "./listen.ts";

test.each<[mayNow: boolean, open: number, may: boolean]>([
  [true, 0, true],
  [true, 749, true],
  [true, 750, false],
  [true, Number.POSITIVE_INFINITY, false],
  [false, 749, false],
  [false, 500, false],
  [false, 499, true],
])("of a thousand files, %p, %p open: connections are taken: %p", (mayNow, open, may) => {
  expect(mayTakeConnections(mayNow, open, 1000)).toBe(may);
});

test("a listener that pauses refuses connections, ends what runs, and goes on", async () => {
  const app = createApp({ log: createLogger({ level: "silent" }), drain: new Drain() });
  const released = Promise.withResolvers<void>();
  app.get("/held", async (c) => {
    await released.promise;
    return c.text("held");
  });
  app.get("/now", (c) => c.text("now"));
  const listener = listen(app, { host: "127.0.0.1", port: 0 });
  const ask = async (path: string) =>
    (await fetch(listener.url + path, { keepalive: false }).catch(() => undefined))?.text();
  const held = ask("/held");
  expect(await ask("/now")).toBe("now");
  listener.pause();
  listener.pause();
  expect(await ask("/now")).toBeUndefined();
  released.resolve();
  expect(await held).toBe("held");
  listener.resume();
  listener.resume();
  expect(await ask("/now")).toBe("now");
  await listener.stop(true);
  expect(await ask("/now")).toBeUndefined();
});
