import { LLAMA_CPP_VERSION } from "../../config/version.ts";
import { get } from "../../http/client/get.ts";
import { LENDING_PATH, LendingOffer, LLAMA_CPP_HEADER } from "../../wire/lending.ts";
import type { Worker } from "./directory.ts";
import { WorkerError, workerFailure, workerRefusal } from "./error.ts";

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 256 * 1024;

/** The headers of a request to a worker. */
export function workerHeaders({ key }: Pick<Worker, "key">): Record<string, string> {
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return { [LLAMA_CPP_HEADER]: LLAMA_CPP_VERSION, ...authorization };
}

/** Asks a worker what it has to lend. Throws `WorkerError`. */
export async function offerOf(worker: Worker, signal: AbortSignal): Promise<LendingOffer> {
  const { name, url, fingerprint, proxy } = worker;
  const headers = { accept: "application/json", ...workerHeaders(worker) };
  const limits = { timeoutMs: ANSWER_MS_MAX, limitBytes: ANSWER_BYTES_MAX, signal };
  const answer = await get({
    url: url + LENDING_PATH,
    headers,
    fingerprint,
    proxy,
    ...limits,
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw workerFailure(name, cause);
  });
  const text = new TextDecoder().decode(answer.body);
  if (answer.head.status !== 200) throw workerRefusal(name, answer.head.status, text);
  try {
    return LendingOffer.parse(JSON.parse(text));
  } catch (cause) {
    throw new WorkerError("refused", name, "its answer is none of a worker", cause);
  }
}
