import { dlopen } from "bun:ffi";
import { expect, test } from "bun:test";
import { sendDatagram } from "./datagram.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** A datagram socket with an abstract name, which needs no file. */
function receiver(name: string) {
  const { symbols: c } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  const socket = c.socket(AF_UNIX, SOCK_DGRAM, 0);
  const address = Buffer.from(`\u0001\0\0${name}`, "latin1");
  if (c.bind(socket, address, address.length) !== 0) throw new Error("bind failed");
  const buffer = Buffer.alloc(1000);
  return {
    next: () => {
      const size = Number(c.recv(socket, buffer, buffer.length, MSG_DONTWAIT));
      return size < 0 ? undefined : buffer.toString("utf8", 0, size);
    },
    [Symbol.dispose]: () => void c.close(socket),
  };
}

test.skipIf(process.platform !== "linux")("datagrams arrive whole, one by one", () => {
  const name = `llmlb-${crypto.randomUUID()}`;
  using socket = receiver(name);
  expect(sendDatagram(`@${name}`, "READY=1")).toBe(true);
  expect(sendDatagram(`@${name}`, "STATUS=ü\nWATCHDOG=1")).toBe(true);
  expect([socket.next(), socket.next()]).toEqual(["READY=1", "STATUS=ü\nWATCHDOG=1"]);
  expect(socket.next()).toBeUndefined();
});

test("what nobody receives, or has too long a name, is told as not sent", () => {
  expect(sendDatagram("/nowhere/socket", "READY=1")).toBe(false);
  expect(sendDatagram(`/${"x".repeat(200)}`, "READY=1")).toBe(false);
});
