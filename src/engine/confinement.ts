import { dlopen } from "bun:ffi";
import { writeFileSync } from "node:fs";

/** `prctl(2)`. */
const PR_SET_NO_NEW_PRIVS = 38;
/** `setrlimit(2)`. */
const RLIMIT_CORE = 4;
/** Among processes that take too much memory, the kernel ends one with a high score first. */
const OOM_SCORE = "500";

const LIBC = {
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
} as const;

/**
 * Gives up what an engine does not need, where Linux allows: it and what it starts gain no
 * privileges any more (setuid programs), it leaves no core file with prompts in it, and it is the
 * one that ends if memory is short, not its node. Never throws.
 */
export function confineProcess(): void {
  if (process.platform !== "linux") return;
  try {
    writeFileSync("/proc/self/oom_score_adj", OOM_SCORE);
  } catch {
    // A container may have no /proc, or one that is read-only.
  }
  try {
    const { prctl, setrlimit } = dlopen("libc.so.6", LIBC).symbols;
    prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n);
    setrlimit(RLIMIT_CORE, new BigUint64Array(2)); // Soft and hard limit: 0.
  } catch {
    // Another C library than glibc.
  }
}
