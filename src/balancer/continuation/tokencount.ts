import { get } from "../../http/client/get.ts";
import { parseObject } from "../../lib/json.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ContinuingKind } from "./decision.ts";

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 5000;

export interface CountOptions {
  kind: ContinuingKind;
  /** The server's own name for the model. */
  model: string;
  text: string;
  /** Aborts the request. */
  signal: AbortSignal;
}

/**
 * How many tokens a text is made of, by the tokenizer of the model at a server; undefined where it
 * does not tell. Never throws.
 */
export async function tokensOfText(
  server: Pick<Upstream, "target">,
  { kind, model, text, signal }: CountOptions,
): Promise<number | undefined> {
  const question = questionFor(kind, model, text);
  if (question === undefined || text === "") return text === "" ? 0 : undefined;
  try {
    const target = server.target("/tokenize");
    const headers = { ...target.headers, "content-type": "application/json" };
    const body = new TextEncoder().encode(JSON.stringify(question));
    const limits = { timeoutMs: TIMEOUT_MS, limitBytes: ANSWER_BYTES_MAX, signal };
    const { url, proxy, guarded, fingerprint } = target;
    const answer = await get({ url, proxy, guarded, fingerprint, headers, body, ...limits });
    const json = parseObject(new TextDecoder().decode(answer.body));
    if (answer.head.status !== 200 || json === undefined) return undefined;
    if (typeof json.count === "number") return json.count;
    return Array.isArray(json.tokens) ? json.tokens.length : undefined;
  } catch {
    return undefined; // The events of the answer tell about as much.
  }
}

function questionFor(kind: ContinuingKind, model: string, text: string): object | undefined {
  switch (kind) {
    case "llmlb":
    case "llama_server":
      return { model, content: text, add_special: false };
    case "vllm":
    case "sglang":
      return { model, prompt: text, add_special_tokens: false };
    default:
      return undefined;
  }
}
