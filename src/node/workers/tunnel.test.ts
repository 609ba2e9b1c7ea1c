import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryHome } from "../../testkit/command.ts";
import { until } from "../../testkit/eventually.ts";
import { CHANNEL_HANDLERS, type Channel } from "./channel.ts";
import { Tunnel } from "./tunnel.ts";

let home: ReturnType<typeof temporaryHome>;
/** What the server behind the tunnel got. */
let got: Buffer[];
let server: { stop(force: boolean): void };
let entrance: { stop(force: boolean): void };
let ends: { head: Tunnel; worker: Tunnel };
/** Messages that are on their way to the worker; none are taken while this is a list. */
let held: Buffer[] | undefined;

beforeEach(() => {
  home = temporaryHome();
  got = [];
  held = undefined;
  const inner = join(home.path, "inner.sock");
  server = Bun.listen({
    unix: inner,
    socket: {
      data(socket, bytes) {
        got.push(Buffer.from(bytes));
        socket.write(bytes.subarray(0, 3));
      },
    },
  });
  const worker: Tunnel = new Tunnel({
    socket: { send: (bytes) => head.receive(Buffer.from(bytes)), close: () => undefined },
    connect: (channel) => {
      const connecting = Bun.connect({ unix: inner, data: channel, socket: CHANNEL_HANDLERS });
      // Some tests are over before it is connected.
      connecting.then((socket) => channel.attach(socket)).catch(() => channel.onClose());
    },
  });
  const toWorker = (bytes: Buffer) =>
    held === undefined ? worker.receive(bytes) : held.push(bytes);
  const head = new Tunnel({
    socket: { send: (bytes) => void toWorker(Buffer.from(bytes)), close: () => undefined },
  });
  ends = { head, worker };
  entrance = Bun.listen<Channel>({
    unix: join(home.path, "outer.sock"),
    socket: {
      ...CHANNEL_HANDLERS,
      open(socket) {
        const channel = head.open();
        if (channel === undefined) return void socket.terminate();
        socket.data = channel;
        channel.attach(socket);
      },
    },
  });
});

afterEach(() => {
  ends.head.close();
  ends.worker.close();
  entrance.stop(true);
  server.stop(true);
  home[Symbol.dispose]();
});

/** Connects where llama.cpp would, and keeps what comes back. */
async function connect() {
  const state = { back: "", isClosed: false, unsent: Buffer.alloc(0) };
  const flush = () => {
    const count = Math.max(0, socket.write(state.unsent));
    state.unsent = state.unsent.subarray(count);
  };
  const socket = await Bun.connect({
    unix: join(home.path, "outer.sock"),
    socket: {
      data: (_, bytes) => {
        state.back += bytes.toString();
      },
      drain: () => flush(),
      close: () => {
        state.isClosed = true;
      },
    },
  });
  const send = (bytes: Buffer) => {
    state.unsent = Buffer.concat([state.unsent, bytes]);
    flush();
  };
  return { state, socket, send };
}

const size = () => got.reduce((sum, { byteLength }) => sum + byteLength, 0);

test("bytes go both ways, unchanged, whatever their number", async () => {
  const all = Buffer.alloc(20_000_000, "0123456789abcdef!");
  const { state, send } = await connect();
  send(Buffer.from("abc"));
  await until(() => state.back === "abc", 5000);
  send(all);
  await until(() => size() === all.byteLength + 3, 20_000);
  expect(Buffer.concat(got).subarray(3).equals(all)).toBe(true);
  expect(ends.head.bytes).toBeGreaterThanOrEqual(all.byteLength);
});

test("what the other side does not take is not read here either", async () => {
  const { state, send } = await connect();
  held = [];
  send(Buffer.alloc(30_000_000));
  const onTheWay = () => (held ?? []).reduce((sum, one) => sum + one.byteLength, 0);
  await until(() => onTheWay() > 4_000_000, 5000);
  // Whatever can still come has come once the sender's socket is full.
  let before = -1;
  const hasStopped = () => {
    const isSame = before === onTheWay();
    before = onTheWay();
    return isSame;
  };
  await until(hasStopped, 5000);
  expect(onTheWay()).toBeLessThan(6_000_000);
  expect(state.unsent.byteLength).toBeGreaterThan(20_000_000);
  const waiting = held;
  held = undefined;
  for (const bytes of waiting) ends.worker.receive(bytes);
  await until(() => size() === 30_000_000, 20_000);
});

test("an end closes the other end, after what came before it", async () => {
  const { state, socket, send } = await connect();
  send(Buffer.from("abcdef"));
  await until(() => state.back === "abc", 5000);
  socket.end();
  await until(() => size() === 6, 5000);
  const second = await connect();
  second.send(Buffer.from("xyz"));
  await until(() => second.state.back === "xyz", 5000);
  ends.worker.close();
  ends.head.close();
  await until(() => second.state.isClosed, 5000);
});

test("a ninth connection at the same time is closed at once", async () => {
  const open = await Promise.all(Array.from({ length: 8 }, connect));
  const ninth = await connect();
  await until(() => ninth.state.isClosed, 5000);
  expect(open.some(({ state }) => state.isClosed)).toBe(false);
});

test.each([
  ["too short", [1, 0, 0], "too short"],
  ["of no known kind", [7, 0, 0, 0, 1], "no known kind"],
  ["an ack without its number", [3, 0, 0, 0, 1], "no known kind"],
])("a message that is %s is refused", (_, bytes, message) => {
  expect(() => ends.worker.receive(Buffer.from(bytes))).toThrow(message);
});

test("a channel is opened once, by the head", () => {
  const open = Buffer.from([1, 0, 0, 0, 1]);
  expect(() => ends.head.receive(open)).toThrow("may not open");
  ends.worker.receive(open);
  expect(() => ends.worker.receive(open)).toThrow("may not open");
});

test("who sends more than he may is refused", () => {
  ends.worker.receive(Buffer.from([1, 0, 0, 0, 1]));
  const data = Buffer.alloc(1_000_000);
  data.set([2, 0, 0, 0, 1]);
  // Nothing is taken meanwhile: its socket is not connected yet.
  const flood = () => {
    for (let i = 0; i < 9; i += 1) ends.worker.receive(data);
  };
  expect(flood).toThrow("more than it may");
});
