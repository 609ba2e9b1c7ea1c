import { dlopen } from "bun:ffi";

/** Of Linux: socket(2), unix(7). */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const PATH_BYTES_MAX = 107;

const SYMBOLS = {
  socket: { args: ["i32" /* domain */, "i32" /* type */, "i32" /* protocol */], returns: "i32" },
  sendto: {
    args: ["i32", "ptr" /* buf */, "usize", "i32" /* flags */, "ptr" /* dest */, "u32"],
    returns: "i64",
  },
  close: { args: ["i32" /* fd */], returns: "i32" },
} as const;

/**
 * Sends one datagram to a Unix socket on Linux, which Bun's own sockets cannot. A path that begins
 * with `@` is an abstract name. Never waits. Returns false if it could not be sent.
 */
export function sendDatagram(path: string, text: string): boolean {
  const name = Buffer.from(path);
  if (process.platform !== "linux" || name.length > PATH_BYTES_MAX) return false;
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  if (path.startsWith("@")) address[2] = 0;
  const bytes = Buffer.from(text);
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  try {
    const { symbols: c } = libc();
    const socket = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    const sent = c.sendto(socket, bytes, bytes.length, flags, address, address.length);
    c.close(socket);
    return Number(sent) === bytes.length;
  } catch {
    return false; // There is no such C library, as with musl.
  }
}

let opened: ReturnType<typeof open> | undefined;

function libc() {
  opened ??= open();
  return opened;
}

function open() {
  return dlopen("libc.so.6", SYMBOLS);
}
