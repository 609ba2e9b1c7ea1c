import { exchange } from "../../http/client/exchange.ts";

export interface PinnedRequest {
  url: string;
  /** Of the only certificate that is accepted, as `sha256:…`. */
  fingerprint: string;
  method: string;
  headers: Headers;
  body?: string;
  signal?: AbortSignal | undefined;
}

const HAS_NO_BODY = new Set([204, 205, 304]);

/**
 * `fetch` for a server whose certificate is known: no authority has to vouch for it. Redirects are
 * not followed. Rejects with `ClientError`, or the reason of `signal`.
 */
export async function pinnedFetch(request: PinnedRequest): Promise<Response> {
  const { url, fingerprint, method, headers, body, signal } = request;
  signal?.throwIfAborted();
  const bytes = body === undefined ? null : new TextEncoder().encode(body);
  const fields = Object.fromEntries([...headers].map(([name, value]) => [name, value]));
  const message = { method, headers: fields, body: bytes, keepAlive: false };
  const sent = exchange({ url, fingerprint, ...message });
  signal?.addEventListener("abort", () => sent.abort(signal.reason), { once: true });
  const { status, headers: answered } = await sent.head;
  const pairs = Array.from({ length: answered.length / 2 }, (_, i): [string, string] => [
    answered[2 * i] ?? "",
    answered[2 * i + 1] ?? "",
  ]);
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await sent.read();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: (reason) => sent.abort(reason ?? new Error("Nobody reads the answer.")),
  });
  return new Response(HAS_NO_BODY.has(status) ? null : stream, { status, headers: pairs });
}
