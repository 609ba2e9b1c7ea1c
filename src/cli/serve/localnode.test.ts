import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { loadSettings } from "../../config/precedence.ts";
import type { Child, ChildOptions } from "../../lib/childprocess.ts";
import { LogBook } from "../../lib/logbook.ts";
import { LocalNode } from "./localnode.ts";

const RESTART_MS_MAX = 1000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A process that does only what the test says. */
class FakeChild implements Child {
  readonly pid = 1;
  readonly sent: object[] = [];
  readonly killed: string[] = [];
  readonly options: ChildOptions;
  readonly #end = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  readonly exited = this.#end.promise;

  constructor(options: ChildOptions) {
    this.options = options;
  }
  send(message: object): void {
    this.sent.push(message);
  }
  kill(signal: string): void {
    this.killed.push(signal);
    this.exit(null);
  }
  exit(code: number | null): void {
    this.#end.resolve({ code, signal: null });
  }
}

function startLocalNode() {
  const { settings } = loadSettings({
    flags: { host: "0.0.0.0", insecure: true, endpoints: ["http://a"], nodePort: "7" },
    env: { LLMLB_HOME: "/nowhere" },
  });
  const children: FakeChild[] = [];
  const urls: string[] = [];
  const node = new LocalNode({
    isBalancerOpen: true,
    balancer: { url: "http://127.0.0.1:1", secret: "s" },
    settings,
    book: new LogBook({ level: "silent" }),
    onListening: (url) => urls.push(url),
    onReadiness: () => undefined,
    onFailed: () => undefined,
    backoff: { firstMs: RESTART_MS_MAX, maxMs: RESTART_MS_MAX },
    spawn: (options) => {
      const child = new FakeChild(options);
      children.push(child);
      return child;
    },
  });
  node.start();
  const [first] = children;
  if (first === undefined) throw new Error("nothing was started");
  return { node, children, urls, first };
}

test("a local node gets the parent's settings, on loopback and without endpoints", () => {
  const { first, urls } = startLocalNode();
  expect(first.sent).toEqual([]);
  first.options.onMessage({ type: "hello" });
  expect(first.sent).toMatchObject([
    {
      type: "settings",
      settings: { host: "127.0.0.1", port: 7, access: "auto", endpoints: [], home: "/nowhere" },
    },
  ]);
  first.options.onMessage({ type: "nonsense" });
  first.options.onMessage({ type: "listening", url: "http://n", port: 8 });
  expect(urls).toEqual(["http://n"]);
});

test("a local node is told of the balancer's certificate, also one that starts later", async () => {
  const { node, children, first } = startLocalNode();
  first.options.onMessage({ type: "hello" });
  node.renewed("sha256:new");
  expect(first.sent.at(-1)).toEqual({ type: "certificate", fingerprint: "sha256:new" });
  first.exit(1);
  await first.exited;
  jest.advanceTimersByTime(RESTART_MS_MAX);
  children[1]?.options.onMessage({ type: "hello" });
  expect(children[1]?.sent).toMatchObject([{ balancer: { fingerprint: "sha256:new" } }]);
});

test("a local node that dies is started again, on the port it had", async () => {
  const { children, first } = startLocalNode();
  first.options.onMessage({ type: "listening", url: "http://n", port: 8 });
  first.exit(1);
  await first.exited;
  jest.advanceTimersByTime(RESTART_MS_MAX);
  expect(children).toHaveLength(2);
  children[1]?.options.onMessage({ type: "hello" });
  expect(children[1]?.sent).toMatchObject([{ settings: { port: 8 } }]);
});

test("a local node that is stopped stays so", async () => {
  const { node, children, first } = startLocalNode();
  first.options.onMessage({ type: "hello" });
  const stopped = node.stop(10);
  expect(first.sent.at(-1)).toEqual({ type: "stop", drainMs: 10 });
  first.exit(0);
  await stopped;
  jest.advanceTimersByTime(RESTART_MS_MAX);
  expect(children).toHaveLength(1);
  expect(first.killed).toEqual([]);
});

test("a local node that is stopped before it could hear is killed", async () => {
  const { node, first } = startLocalNode();
  const stopped = node.stop(10);
  first.options.onMessage({ type: "hello" });
  await stopped;
  expect(first.killed).toEqual(["SIGKILL"]);
});
