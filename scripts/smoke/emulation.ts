import { existsSync } from "node:fs";
import { basename } from "node:path";

/** What runs an executable for ARM64 on a machine with another processor. */
export interface Emulation {
  /** QEMU for programs, linked statically, so that it also works in a jail. */
  qemu: string;
  /** The folder of the C and C++ runtimes for that processor. */
  libraries: string;
  /** The loader of that processor, as every program names it. */
  loader: string;
}

/** Names of QEMU in Debian and Ubuntu, and of one that was put in by hand. */
const QEMU = ["qemu-aarch64-static", "qemu-aarch64"];
/** Where Debian's cross compiler has them. */
const LIBRARIES = "/usr/aarch64-linux-gnu/lib";
const ARM64 = 183;

/**
 * How an executable for Linux can be run here although it is for ARM64; undefined for one that
 * needs no help. Throws, naming the packages, where what it takes is not installed.
 */
export async function emulationFor(executable: string): Promise<Emulation | undefined> {
  if (process.platform !== "linux" || process.arch === "arm64") return undefined;
  if ((await machineOf(executable)) !== ARM64) return undefined;
  const qemu = QEMU.map((name) => Bun.which(name)).find((path) => path !== null);
  if (qemu === undefined || !existsSync(LIBRARIES)) {
    throw new Error(`Running ${basename(executable)}: it is for ARM64. Install what runs it here: \
sudo apt-get install -y qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross`);
  }
  return { qemu, libraries: LIBRARIES, loader: "/lib/ld-linux-aarch64.so.1" };
}

/** The processor that an ELF file is for; undefined for other files. */
async function machineOf(path: string): Promise<number | undefined> {
  const head = new DataView(await Bun.file(path).slice(0, 20).arrayBuffer());
  if (head.byteLength < 20 || head.getUint32(0) !== 0x7f454c46) return undefined;
  return head.getUint16(18, true);
}

/** Programs for ARM64 begin so: the fields of an ELF header, and which bits of them count. */
const MAGIC = ["7f454c46", "020101", "00".repeat(9), "0200", "b700"];
const MASK = ["ffffffff", "ffffff", `00${"ff".repeat(8)}`, "feff", "ffff"];

/**
 * Shell commands that let the kernel start programs for ARM64 by QEMU, in the user namespace where
 * they run, and nowhere else. Needs Linux 6.7.
 */
export function registration({ qemu }: Emulation): string[] {
  // F: QEMU is opened now, so that it need not be in the jail.
  const line = `:llmlb-arm64:M::${escaped(MAGIC)}:${escaped(MASK)}:${qemu}:F`;
  const place = "/proc/sys/fs/binfmt_misc";
  return [`mount -t binfmt_misc none ${place}`, `printf %s '${line}' > ${place}/register`];
}

/** Bytes as the kernel reads them there. */
function escaped(digits: string[]): string {
  return digits.join("").replace(/../g, "\\x$&");
}
