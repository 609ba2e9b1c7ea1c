import { openState } from "../db/database.ts";
import { makeRequest, silent } from "./state.ts";

/** Fills a data folder with endpoints `gpu 1`, `gpu 2` … that nobody can reach. */
export async function fillEndpoints(home: string, count: number): Promise<void> {
  const state = await openState({ home, log: silent });
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  for (const number of numbers) {
    await state.endpoints.create({
      ...{ name: `gpu ${number}`, baseUrl: `http://127.0.0.1:9/${number}` },
    });
  }
  await state.close();
}

/**
 * Fills a data folder with requests of the last minutes. Of a hundred, 9 are for `rare`, the others
 * for `usual`; 33 are of eve, the others of ada; 3 found the queue full.
 */
export async function fillRequests(home: string, count: number): Promise<void> {
  const state = await openState({ home, log: silent });
  for (let i = 0; i < count; i += 1) {
    const userName = i % 3 === 0 ? "eve" : "ada";
    const failure = { succeeded: false, error: "queue_full", httpStatus: 429 };
    state.requests.record(
      makeRequest({
        ...{ id: `seed-${i}`, requestId: `r-${i}`, model: i % 11 === 0 ? "rare" : "usual" },
        ...{ startedAt: Date.now() - i * 100, userId: `u-${userName}`, userName },
        ...{ inputTokens: i, outputTokens: 5, durationMs: 900, firstByteMs: 90, httpStatus: 200 },
        ...(i % 37 === 0 && failure),
      }),
    );
  }
  await state.writes.flush();
  await state.close();
}
