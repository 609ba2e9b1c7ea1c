import { dlopen, ptr } from "bun:ffi";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Of Linux: socket(7), `linux/filter.h`. */
const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const BPF_RET_K = 0x06;

/** Columns of /proc/net/tcp (proc_net_tcp(5)): 1 local address, 3 state, 9 inode. */
const LISTENING = "0A";

const SYMBOLS = {
  setsockopt: {
    args: ["i32" /* sockfd */, "i32" /* level */, "i32" /* optname */, "ptr", "u32" /* optlen */],
    returns: "i32",
  },
} as const;

/**
 * Makes the kernel give all new connections to a port to the socket that began to listen on it as
 * second of those that share it (`SO_REUSEPORT`); this process has the first one. What waits at the
 * first one stays there. Once only one is left, it gets all. Linux only: false where it cannot be
 * done, and new connections then go to either.
 */
export function giveConnectionsToSecond(port: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    const descriptor = listeningDescriptor(port);
    if (descriptor === undefined) return false;
    // A program of one instruction, `return 1`, whose result is the socket's place among them.
    const instruction = Buffer.alloc(8);
    instruction.writeUInt16LE(BPF_RET_K, 0);
    instruction.writeUInt32LE(1, 4);
    const program = Buffer.alloc(16);
    program.writeUInt16LE(1, 0);
    program.writeBigUInt64LE(BigInt(ptr(instruction)), 8);
    const { symbols: c } = dlopen("libc.so.6", SYMBOLS);
    const size = program.length;
    return c.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, size) === 0;
  } catch {
    return false; // There is no such C library, or no /proc.
  }
}

/** The descriptor of a socket of this process that listens on a port. */
function listeningDescriptor(port: number): number | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const links = new Set<string>();
  for (const table of ["/proc/self/net/tcp", "/proc/self/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n")) {
      const columns = line.trim().split(/\s+/);
      const isOf = columns[3] === LISTENING && columns[1]?.endsWith(suffix);
      if (isOf) links.add(`socket:[${columns[9]}]`);
    }
  }
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      if (links.has(readlinkSync(`/proc/self/fd/${name}`))) return Number(name);
    } catch {
      // It was closed meanwhile.
    }
  }
  return undefined;
}
