import { hashPassword } from "../auth/password.ts";
import { openState } from "../db/database.ts";
import { NO_LIMITS } from "../wire/limits.ts";
import type { Role } from "../wire/permission.ts";
import { PASSWORD } from "./people.ts";
import { makeRequest, silent } from "./state.ts";

/** A name that is markup. */
export const HOSTILE = '<img src=x onerror="alert(1)">';

const DAY_MS = 86_400_000;
const MODELS = ["qwen3-32b", "llama-3.3-70b", "gpt-oss-120b", "tiny", "nomic-embed", "gemma3"];

/**
 * Fills a data folder with two admins, `admin` and `ada`, a viewer, `eve`, who have `PASSWORD`, and
 * with what the latter two used in 40 days.
 */
export async function fillHome(home: string): Promise<void> {
  const state = await openState({ home, log: silent });
  const passwordHash = await hashPassword(PASSWORD);
  const ids = new Map<string, string>();
  for (const name of ["admin", "ada", "eve"]) {
    const role: Role = name === "eve" ? "viewer" : "admin";
    const row = await state.users.create({
      ...{ name, role, passwordHash, limits: NO_LIMITS, mustChangePassword: false },
      ...{ oidcSubject: null, disabledAt: null, lastLoginAt: null },
    });
    ids.set(name, row?.id ?? "");
  }
  for (let i = 0; i < 1200; i += 1) {
    const who = i % 3 === 0 ? "eve" : "ada";
    const tokens = 200 + ((i * 7919) % 1700);
    state.requests.record(
      makeRequest({
        ...{ id: `seed-${i}`, requestId: `r-${i}`, model: MODELS[i % 7] ?? "tiny" },
        ...{ startedAt: Date.now() - (i % 40) * DAY_MS - (i % 50) * 1000 },
        ...{
          userId: ids.get(who) ?? null,
          userName: who,
          apiKeyId: `k-${i % 4}`,
          apiKeyName: `key ${i % 4}`,
        },
        ...{ endpointId: `e-${i % 2}`, endpointName: i % 2 === 0 ? HOSTILE : "gpu two" },
        ...{ inputTokens: tokens, outputTokens: tokens >> 1, cachedTokens: tokens >> 2 },
        ...{ costMicros: tokens * 3, durationMs: 900, firstByteMs: 90, httpStatus: 200 },
        ...(i % 37 === 0 && { succeeded: false, error: "queue_full", httpStatus: 429 }),
      }),
    );
  }
  await state.writes.flush();
  await state.close();
}
