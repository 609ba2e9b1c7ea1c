import { type FakeEndpoint, fakeEndpoint } from "./endpoint.ts";
import { chunksOf, completion } from "./translating.ts";

/** An endpoint that speaks chat completions only, and refuses with 400 what strict ones refuse. */
export interface StrictChat extends FakeEndpoint {
  /** The chats that it took. */
  chats: Json[];
}

type Json = Record<string, unknown>;

/**
 * Starts it on a free port. It takes one system message in front, calls that are answered right
 * behind them, tools that are functions, images that are what they say, and a choice among tools
 * only where there are some. `knows`: further fields of messages that it has.
 */
export function strictChat(models: string[], knows: string[] = []): StrictChat {
  const chats: Json[] = [];
  const endpoint = fakeEndpoint(models, async (request) => {
    if (!request.url.endsWith("/chat/completions")) return new Response("no", { status: 404 });
    const body = (await request.json()) as Json;
    const wrong = wrongIn(body, knows);
    if (wrong !== undefined) {
      const error = { message: wrong, type: "invalid_request_error", code: null, param: null };
      return Response.json({ error }, { status: 400 });
    }
    chats.push(body);
    if (body.stream !== true) return Response.json(completion({ content: "taken" }));
    const data = chunksOf([{ content: "taken" }]).map((one) => {
      return `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`;
    });
    return new Response(data.join(""), { headers: { "content-type": "text/event-stream" } });
  });
  return Object.assign(endpoint, { chats });
}

function wrongIn(body: Json, knows: string[]): string | undefined {
  return wrongTools(body) ?? wrongMessages(body.messages as Json[], knows);
}

function wrongTools({ tools, tool_choice, parallel_tool_calls }: Json): string | undefined {
  if (tools === undefined) {
    const isChosen = tool_choice !== undefined || parallel_tool_calls !== undefined;
    return isChosen ? "a choice of tools needs tools" : undefined;
  }
  const list = tools as { type?: string; function?: { name?: string } }[];
  if (list.length === 0) return "tools must not be empty";
  if (list.some(({ type }) => type !== "function")) return "tools must be functions";
  const names = list.map((tool) => tool.function?.name);
  return new Set(names).size < names.length ? "tools must have different names" : undefined;
}

const FIELDS: Record<string, string[]> = {
  system: ["content"],
  user: ["content", "name"],
  assistant: ["content", "tool_calls", "refusal"],
  tool: ["content", "tool_call_id"],
};

function wrongMessages(messages: Json[], knows: string[]): string | undefined {
  const pending: unknown[] = [];
  for (const [i, message] of messages.entries()) {
    const { role, content, tool_calls, tool_call_id, ...others } = message;
    const fields = [...(FIELDS[String(role)] ?? []), ...knows];
    if (FIELDS[String(role)] === undefined) return `messages.${i}: no role ${role}`;
    if (role === "system" && i > 0) return "the system message must be at the beginning";
    const unknown = Object.keys(others).find((name) => !fields.includes(name));
    if (unknown !== undefined) return `messages.${i}: property '${unknown}' is unsupported`;
    if (role === "tool") {
      const place = pending.indexOf(tool_call_id);
      if (place === -1) return `messages.${i}: it answers no call`;
      pending.splice(place, 1);
    } else if (pending.length > 0) return `messages.${i}: a call before it has no answer`;
    for (const { id } of (tool_calls ?? []) as { id: string }[]) pending.push(id);
    const wrong = wrongContent(content, role === "user");
    if (wrong !== undefined) return `messages.${i}: ${wrong}`;
  }
  return pending.length > 0 ? "a call has no answer" : undefined;
}

const IMAGE = /^data:(image\/[a-z]+);base64,(.*)$/s;
const PNG_START = "iVBORw0KGgo";

function wrongContent(content: unknown, mayShow: boolean): string | undefined {
  if (content === null || content === undefined || typeof content === "string") return undefined;
  for (const part of content as { type: string; image_url?: { url: string } }[]) {
    if (part.type === "text") continue;
    if (part.type !== "image_url" || !mayShow) return `no part of the type ${part.type}`;
    const [, type, data = ""] = IMAGE.exec(part.image_url?.url ?? "") ?? [];
    const isPlain = Buffer.from(data, "base64").toString("base64") === data;
    if (type !== "image/png" || !data.startsWith(PNG_START) || !isPlain) return "no such image";
  }
  return undefined;
}
