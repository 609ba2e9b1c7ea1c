import { z } from "zod";
import { ollamaChatOverChat } from "../../translation/client/ollama/translation.ts";
import { responsesOverChat } from "../../translation/client/responses/translation.ts";
import { anthropicVersion } from "../../translation/provider/anthropic/modelversion.ts";
import { chatOverAnthropic } from "../../translation/provider/anthropic/translation.ts";
import { namingModel } from "../upstream/translator.ts";
import { type BuiltInProvider, CHAT_APIS, type ModelListingPage } from "./api.ts";
import { generateOver, over } from "./translators.ts";

/** The only version of Anthropic's API that there is today. */
const VERSION = "2023-06-01";

const chat = namingModel(chatOverAnthropic);

/** Anthropic's API. Source: https://docs.anthropic.com/en/api */
export const ANTHROPIC: BuiltInProvider = {
  name: "anthropic",
  id: "00000000-0000-0000-0000-00000000c003",
  keyName: "ANTHROPIC_API_KEY",
  api: {
    routes: {
      chat,
      responses: over(responsesOverChat, chat),
      anthropic_messages: "native",
      count_tokens: "native",
      ollama_chat: over(ollamaChatOverChat, chat),
      ollama_generate: generateOver(chat),
    },
    headers: (key): Record<string, string> => ({
      ...(key === undefined ? {} : { "x-api-key": key }),
      "anthropic-version": VERSION,
    }),
    listPath: pagePath(),
    readPage,
    seesImages: true,
    wantsSignatures: true,
    takesPrefill,
    fetchesImages: true,
  },
};

/**
 * Models from Claude 4.6 on answer 400 to it, names without a version are those of later ones.
 * Source: https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6
 */
function takesPrefill(model: string): boolean {
  return (anthropicVersion(model) ?? Number.POSITIVE_INFINITY) < 4.06;
}

const Models = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), created_at: z.string().optional() })),
  has_more: z.boolean().default(false),
  last_id: z.string().nullish(),
});

function pagePath(after?: string): string {
  const from = after === undefined ? "" : `&after_id=${encodeURIComponent(after)}`;
  return `/v1/models?limit=1000${from}`;
}

function readPage(json: unknown): ModelListingPage | undefined {
  const list = Models.safeParse(json).data;
  if (list === undefined) return undefined;
  const models = list.data.map(({ id, created_at }) => {
    const createdMs = Date.parse(created_at ?? "");
    const created = Number.isFinite(createdMs) ? Math.max(0, Math.floor(createdMs / 1000)) : 0;
    return { id, created, apis: CHAT_APIS };
  });
  return { models, next: list.has_more && list.last_id ? pagePath(list.last_id) : undefined };
}
