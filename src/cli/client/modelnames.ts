import { z } from "zod";
import { encodedName } from "../../http/server/query.ts";
import { ModelList } from "../../wire/openai.ts";
import { CliError } from "../process/exit.ts";
import { fetchFrom, sendRequest } from "./request.ts";
import type { Server } from "./server.ts";

const LIST_ATTEMPTS = 8;
const LIST_PAUSE_MS = 300;

/** Fields of our own model lists; lists of other servers have none of them. */
const Listed = z.looseObject({
  ready: z.boolean().optional(),
  state: z.string().optional(),
  capabilities: z.looseObject({ chat_completion: z.boolean().optional() }).optional(),
});

/**
 * The names of the models that a server lists: those that are ready first, and of these those that
 * chat. Throws `CliError`, or the reason of `signal`.
 */
export async function listModelNames(server: Server, signal?: AbortSignal): Promise<string[]> {
  const response = await sendRequest(server, "/v1/models", signal && { signal });
  const list = ModelList.safeParse(await response.json().catch(() => undefined));
  if (!list.success) throw new CliError(`${server.url}/v1/models does not answer with a list.`);
  const rank = (entry: unknown) => {
    const { ready, state, capabilities } = Listed.safeParse(entry).data ?? {};
    const isUnready = ready === false || (state !== undefined && state !== "ready");
    return (isUnready ? 2 : 0) + (capabilities?.chat_completion === false ? 1 : 0);
  };
  return list.data.data.toSorted((a, b) => rank(a) - rank(b)).map(({ id }) => id);
}

/** Whether a server has a model of this name; a server that does not tell may have it. */
export async function isListed(server: Server, name: string): Promise<boolean> {
  const answer = await fetchFrom(server, `/v1/models/${encodedName(name)}`);
  await answer.body?.cancel();
  return answer.status !== 404;
}

/** The model to talk with where none is named. Throws `CliError` if the server has none. */
export async function firstModel(server: Server): Promise<string> {
  // A server that has just started finds its models within seconds.
  for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt += 1) {
    if (attempt > 0) await Bun.sleep(LIST_PAUSE_MS);
    const [first] = await listModelNames(server);
    if (first !== undefined) return first;
  }
  throw new CliError(
    `${server.url} serves no model yet. Start it with --model file.gguf or --endpoint URL, or \
wait until a model is loaded (see llmlb status).`,
  );
}
