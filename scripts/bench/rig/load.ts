/** What a round of streaming clients saw. */
export interface StreamRound {
  /** Completion tokens of all clients per second of the whole round. */
  tokensPerSecond: number;
  /** Completion tokens of all clients. */
  tokens: number;
  /** Time to the first byte of each answer, in milliseconds. */
  firstByteMs: number[];
}

export interface StreamLoad {
  /** Base URL of an OpenAI-compatible server. */
  url: string;
  model: string;
  prompt: string;
  /** Clients at the same time. */
  clients: number;
  /** Answers that each client asks for, one after the other. */
  requests: number;
  /** Length of each answer. */
  maxTokens: number;
}

/** Runs streaming chat clients against a server; every answer has exactly `maxTokens` tokens. */
export async function streamRound(load: StreamLoad): Promise<StreamRound> {
  const firstByteMs: number[] = [];
  let tokens = 0;
  const start = performance.now();
  const client = async (number: number) => {
    for (let i = 0; i < load.requests; i++) {
      const answer = await streamOnce(load, number * load.requests + i);
      firstByteMs.push(answer.firstByteMs);
      tokens += answer.tokens;
    }
  };
  await Promise.all(Array.from({ length: load.clients }, (_, number) => client(number)));
  const seconds = (performance.now() - start) / 1000;
  return { tokensPerSecond: tokens / seconds, tokens, firstByteMs };
}

async function streamOnce({ url, model, prompt, maxTokens }: StreamLoad, salt: number) {
  const start = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    keepalive: false, // llama-server closes idle connections, which a client may notice too late
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model,
      messages: [{ role: "user", content: `${prompt} ${salt}` }],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: maxTokens,
      ignore_eos: true,
      temperature: 0,
    }),
  });
  if (!response.ok || response.body === null) throw new Error(await response.text());
  let firstByteMs = 0;
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    if (firstByteMs === 0) firstByteMs = performance.now() - start;
    tail = (tail + decoder.decode(chunk)).slice(-1500);
  }
  const usage = /"completion_tokens":(\d+)/.exec(tail);
  if (usage === null || !tail.endsWith("data: [DONE]\n\n")) throw new Error(`cut: ${tail}`);
  return { firstByteMs, tokens: Number(usage[1]) };
}

/** The middle of some numbers; NaN of none. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of some ratios, how many there are, and how far they are apart. */
export function spread(ratios: number[]): string {
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  return `**${median(ratios).toFixed(2)}** (${ratios.length}: ${range})`;
}
