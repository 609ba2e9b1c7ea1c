import type { Capability } from "./capability.ts";
import type { Dialect } from "./error.ts";

/** An inference route's name: what history and statistics call its requests. */
export type RouteName = keyof typeof TABLE;

/** Tokens that an answer is made of: text; none, as of embeddings; or something else (sound). */
export type OutputKind = "text" | "numbers" | "other";

/**
 * Which servers have a route: all of them; most, and those that lack it say so (`usual`); some, and
 * an empty request finds out (`probed`); only Ollama.
 */
export type Presence = "always" | "usual" | "probed" | "ollama";

/** What a form must have: a file with speech, an image with or without a prompt. */
export type FormKind = "audio" | "image_edit" | "image_variation";

/** A route of an API that clients use to run models. */
export interface InferenceRoute {
  readonly name: RouteName;
  readonly path: string;
  readonly dialect: Dialect;
  /** What a model must be able to do for it, images in the request aside. */
  readonly capability: Capability;
  /** What its requests do, for the error "the model cannot …". */
  readonly verb: string;
  readonly output: OutputKind;
  readonly presence: Presence;
  /** The route in whose terms its requests are put to an upstream that lacks it. */
  readonly over: RouteName | undefined;
  /** The kind of its form; undefined: its body is JSON. */
  readonly form: FormKind | undefined;
  /** The field with its messages or items, in which images may be; "" for `images` beside them. */
  readonly imagesIn: string | undefined;
  /** Its requests have a prompt whose prefix upstreams keep in their caches. */
  readonly hasPrompt: boolean;
  /** Its streams tell usage as those of chat completions do, if asked by `stream_options`. */
  readonly hasStreamOptions: boolean;
  /** Its answers are streams unless `stream` is false, as Ollama's are. */
  readonly streamsByDefault: boolean;
  /** Our nodes answer it. */
  readonly onNodes: boolean;
}

type Row = Pick<InferenceRoute, "path" | "capability" | "verb"> & Partial<InferenceRoute>;

/** Anthropic's and OpenAI's routes for chats, which every server can be asked by a translation. */
const OVER_CHAT = { presence: "probed", over: "chat", hasPrompt: true, onNodes: true } as const;
const OLLAMA = { dialect: "ollama", presence: "ollama" } as const;
const OTHER = { output: "other", presence: "probed" } as const;

const TABLE = {
  chat: {
    path: "/v1/chat/completions",
    capability: "chat",
    verb: "chat",
    presence: "always",
    onNodes: true,
    hasPrompt: true,
    hasStreamOptions: true,
    imagesIn: "messages",
  },
  generate: {
    path: "/v1/completions",
    capability: "completion",
    verb: "complete a text",
    presence: "usual",
    onNodes: true,
    hasPrompt: true,
    hasStreamOptions: true,
  },
  embeddings: {
    path: "/v1/embeddings",
    capability: "embeddings",
    verb: "make embeddings",
    presence: "usual",
    onNodes: true,
    output: "numbers",
  },
  responses: {
    path: "/v1/responses",
    ...OVER_CHAT,
    dialect: "responses",
    capability: "chat",
    imagesIn: "input",
    verb: "answer the responses API",
  },
  anthropic_messages: {
    path: "/v1/messages",
    ...OVER_CHAT,
    dialect: "anthropic",
    capability: "chat",
    imagesIn: "messages",
    verb: "answer Anthropic's messages",
  },
  count_tokens: {
    path: "/v1/messages/count_tokens",
    ...OTHER,
    dialect: "anthropic",
    capability: "chat",
    imagesIn: "messages",
    verb: "count tokens",
    onNodes: true,
  },
  ollama_chat: {
    path: "/api/chat",
    ...OLLAMA,
    capability: "chat",
    verb: "chat",
    over: "chat",
    imagesIn: "messages",
    hasPrompt: true,
    streamsByDefault: true,
  },
  ollama_generate: {
    path: "/api/generate",
    ...OLLAMA,
    capability: "completion",
    verb: "complete a text",
    over: "chat",
    imagesIn: "",
    hasPrompt: true,
    streamsByDefault: true,
  },
  ollama_embed: {
    path: "/api/embed",
    ...OLLAMA,
    capability: "embeddings",
    verb: "make embeddings",
    over: "embeddings",
    output: "numbers",
  },
  ollama_embeddings: {
    path: "/api/embeddings",
    ...OLLAMA,
    capability: "embeddings",
    verb: "make embeddings",
    over: "embeddings",
    output: "numbers",
  },
  rerank: {
    path: "/v1/rerank",
    capability: "rerank",
    verb: "rank documents",
    presence: "probed",
    onNodes: true,
    output: "numbers",
  },
  speech: {
    path: "/v1/audio/speech",
    ...OTHER,
    capability: "text_to_speech",
    verb: "speak",
  },
  transcription: {
    path: "/v1/audio/transcriptions",
    ...OTHER,
    capability: "speech_to_text",
    verb: "transcribe speech",
    form: "audio",
    onNodes: true,
  },
  translation: {
    path: "/v1/audio/translations",
    ...OTHER,
    capability: "speech_to_text",
    verb: "translate speech",
    form: "audio",
  },
  imagegeneration: {
    path: "/v1/images/generations",
    ...OTHER,
    capability: "image_generation",
    verb: "make images",
  },
  imageedit: {
    path: "/v1/images/edits",
    ...OTHER,
    capability: "image_generation",
    verb: "edit images",
    form: "image_edit",
  },
  imagevariation: {
    path: "/v1/images/variations",
    ...OTHER,
    capability: "image_generation",
    verb: "vary images",
    form: "image_variation",
  },
} as const satisfies Record<string, Omit<Row, "over"> & { over?: string }>;

/** Every inference route by its name: the only place where their paths are written. */
export const ROUTES: Readonly<Record<RouteName, InferenceRoute>> = Object.fromEntries(
  Object.entries(TABLE).map(([name, row]) => [name, route(name as RouteName, row)]),
) as Record<RouteName, InferenceRoute>;

/** The same as a list, in the order in which they are described. */
export const ROUTE_LIST: readonly InferenceRoute[] = Object.values(ROUTES);

function route(name: RouteName, row: Row): InferenceRoute {
  return {
    dialect: "openai",
    output: "text",
    presence: "always",
    over: undefined,
    form: undefined,
    imagesIn: undefined,
    hasPrompt: false,
    hasStreamOptions: false,
    streamsByDefault: false,
    onNodes: false,
    ...row,
    name,
  };
}

/** Ollama's other routes below `/api`; whatever else is there is our own. */
const OLLAMA_NAMES = ["tags", "show", "ps", "version", "pull", "push", "create", "copy", "delete"];

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ...OLLAMA_NAMES.map((name) => [`/api/${name}`, "ollama"] as const),
  ...ROUTE_LIST.map(({ path, dialect }) => [path, dialect] as const),
]);

/** The dialect in which a request path is answered, errors included; unknown ones: OpenAI's. */
export function dialectOf(path: string): Dialect {
  const known = DIALECTS.get(path);
  if (known !== undefined) return known;
  if (isBelow(path, "/api/blobs")) return "ollama";
  if (isBelow(path, ROUTES.anthropic_messages.path)) return "anthropic";
  return isBelow(path, ROUTES.responses.path) ? "responses" : "openai";
}

/** Whether a path is of our own API, for operators and nodes, and none of the APIs of clients. */
export function isManagement(path: string): boolean {
  return (isBelow(path, "/api") || isBelow(path, "/v0")) && dialectOf(path) === "openai";
}

/** Where operators' routes are, besides what clients of Ollama ask to use models. */
const OPERATORS = ["/api", "/v0", "/log", "/metrics", "/dashboard"];
const OF_CLIENTS: ReadonlySet<string> = new Set([
  ...["tags", "show", "ps", "version"].map((name) => `/api/${name}`),
  ...ROUTE_LIST.map(({ path }) => path),
]);

/** Whether a path is for operators, not for clients that use models or see whether it lives. */
export function isForOperators(path: string): boolean {
  return !OF_CLIENTS.has(path) && OPERATORS.some((base) => isBelow(path, base));
}

function isBelow(path: string, route: string): boolean {
  return path === route || path.startsWith(`${route}/`);
}
