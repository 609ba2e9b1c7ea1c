import { homedir } from "node:os";
import { join } from "node:path";
import type { ZodType } from "zod";
import type { LogLevel } from "../lib/log.ts";
import { HOST_FIELDS } from "./hostfields.ts";
import { HUB_FIELDS } from "./hubfields.ts";
import type { NamedPath } from "./model.ts";
import { NAME_FIELDS } from "./namefields.ts";
import { PROVIDER_FIELDS } from "./providerfields.ts";
import { PROXY_FIELDS } from "./proxyfields.ts";
import {
  baseUrl,
  bytes,
  duration,
  endpoints,
  flag,
  models,
  oneOf,
  path,
  projectors,
  text,
  wholeNumber,
  words,
} from "./schemas.ts";
import type { HistoryBodies, Mode, Settings, Strategy } from "./settings.ts";

/** Everything that can be set: the settings and what is folded into them. */
export interface Inputs extends Settings {
  /** Projectors, to be joined with the models. */
  mmproj: NamedPath[];
}

export type FieldKey = keyof Inputs;

/** One setting: its name in the three places it can come from, what it holds, its default. */
export interface Field<T = unknown> {
  /** Key in config.json; upper-cased after `LLMLB_` the environment variable. */
  name: string;
  /** Flags as the help shows them, e.g. `-p, --port <port>`; none: given after `--`. */
  flags?: string;
  /** Environment variables that say the same, weaker than the field's own. */
  aliases?: readonly string[];
  /** Those of them that are not to be used any more. */
  deprecated?: readonly string[];
  /** Never shown. */
  secret?: true;
  /** Heading in the help. */
  group: "Server" | "Joining" | "Models" | "Endpoints" | "Clouds" | "Limits" | "Files and logs";
  /** One line, without a full stop. */
  help: string;
  /** Reads text or a value of config.json; relative paths start at `folder`. */
  schema(folder: string): ZodType<T>;
  /** The value when nothing was given. */
  fallback(mode: Mode): T;
  /** The default as the help shows it, where the value itself does not tell. */
  fallbackText?: string;
  /** What a number means. */
  unit?: "ms" | "bytes";
  /** The flag may be given several times. */
  repeatable?: true;
  /** Cannot stand in config.json. */
  notInFile?: true;
}

const MODES: Mode[] = ["standalone", "balancer", "node"];
const LEVELS: LogLevel[] = ["trace", "debug", "info", "warn", "error", "silent"];
const STRATEGIES: Strategy[] = ["prefix", "latency", "least-busy", "round-robin"];
const HISTORY_BODIES: HistoryBodies[] = ["none", "redacted", "full"];
const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const PORT_MAX = 65_535;
const SLOTS_MAX = 10_000;
const QUEUE_MAX = 10_000;

/** Port of a standalone llmlb or a balancer; a node's own is the next one. */
export const DEFAULT_PORT = 32_768;
export const DEFAULT_NODE_PORT = DEFAULT_PORT + 1;

/** Every setting, in the order of the help. */
export const FIELDS: { [K in FieldKey]: Field<Inputs[K]> } = {
  mode: {
    name: "mode",
    flags: "--mode <mode>",
    group: "Server",
    help: "What to run: standalone (balancer and a local node), balancer, or node",
    schema: () => oneOf(MODES),
    fallback: (mode) => mode,
    fallbackText: "standalone",
  },
  host: {
    name: "host",
    flags: "-H, --host <address>",
    group: "Server",
    help: "Address to listen on; beyond loopback a balancer needs --insecure, a node its key",
    schema: () => text("an address such as 127.0.0.1"),
    fallback: () => "127.0.0.1",
  },
  port: {
    name: "port",
    flags: "-p, --port <port>",
    group: "Server",
    help: "Port to listen on; 0 takes any free one",
    schema: () => wholeNumber(0, PORT_MAX),
    fallback: (mode) => (mode === "node" ? DEFAULT_NODE_PORT : DEFAULT_PORT),
    fallbackText: `${DEFAULT_PORT}; a node: ${DEFAULT_NODE_PORT}`,
  },
  nodePort: {
    name: "node_port",
    flags: "--node-port <port>",
    group: "Server",
    help: "Port of the local node in standalone mode; a free one is taken if it is busy",
    schema: () => wholeNumber(0, PORT_MAX),
    fallback: () => DEFAULT_NODE_PORT,
  },
  insecure: {
    name: "insecure",
    flags: "--insecure",
    group: "Server",
    help: "Allow listening beyond this machine although anybody who can connect may use it",
    schema: () => flag(),
    fallback: () => false,
  },
  ...HOST_FIELDS,
  join: {
    name: "join",
    flags: "--join <url>",
    group: "Joining",
    help: "Balancer to join, e.g. http://balancer:32768",
    schema: () => baseUrl(),
    fallback: () => null,
    fallbackText: "none",
  },
  token: {
    name: "token",
    flags: "--token <token>",
    secret: true,
    group: "Joining",
    help: "What lets this node in the first time; llmlb endpoint token makes one there",
    schema: () => text("a token such as enrol_…"),
    fallback: () => null,
    fallbackText: "none",
  },
  name: {
    name: "name",
    flags: "--name <name>",
    group: "Joining",
    help: "Name of this node at the balancer",
    schema: () => text("a name"),
    fallback: () => null,
    fallbackText: "that of this machine",
  },
  advertise: {
    name: "advertise",
    flags: "--advertise <url>",
    group: "Joining",
    help: "Where the balancer reaches this node",
    schema: () => baseUrl(),
    fallback: () => null,
    fallbackText: "where it sees it",
  },
  models: {
    name: "models",
    flags: "-m, --model <[name=]file>",
    group: "Models",
    help: "GGUF file to serve, by the name of the file or another; may be repeated",
    schema: (folder) => models(folder),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  mmproj: {
    name: "mmproj",
    flags: "--mmproj <[name=]file>",
    group: "Models",
    help: "Multimodal projector (images, audio) of the model, or of the model with that name",
    schema: (folder) => projectors(folder),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  engineArgs: {
    name: "engine_args",
    group: "Models",
    help: "Arguments of llama-server for every model, e.g. -- --ctx-size 8192 --parallel 4",
    schema: () => words(),
    fallback: () => [],
    fallbackText: "none",
  },
  loadTimeoutMs: {
    name: "load_timeout",
    flags: "--load-timeout <time>",
    group: "Models",
    help: "Longest wait for a model to load",
    schema: () => duration(SECOND_MS),
    fallback: () => 600 * SECOND_MS,
    unit: "ms",
  },
  ...HUB_FIELDS,
  endpoints: {
    name: "endpoints",
    flags: "-e, --endpoint <[name=]url>",
    group: "Endpoints",
    help: "OpenAI-compatible server to balance over, its key as http://KEY@host; may be repeated",
    schema: () => endpoints(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  healthIntervalMs: {
    name: "health_interval",
    flags: "--health-interval <time>",
    group: "Endpoints",
    help: "Time between two health checks of an endpoint",
    schema: () => duration(100),
    fallback: () => 30 * SECOND_MS,
    unit: "ms",
  },
  healthTimeoutMs: {
    name: "health_timeout",
    flags: "--health-timeout <time>",
    group: "Endpoints",
    help: "Longest wait for one health check",
    schema: () => duration(100),
    fallback: () => 5 * SECOND_MS,
    unit: "ms",
  },
  strategy: {
    name: "strategy",
    flags: "--strategy <strategy>",
    group: "Endpoints",
    help: `How to choose among endpoints: ${STRATEGIES.join(", ")}`,
    schema: () => oneOf(STRATEGIES),
    fallback: () => "prefix",
  },
  defaultSlots: {
    name: "default_slots",
    flags: "--default-slots <number>",
    group: "Endpoints",
    help: "Requests that an endpoint works on at the same time, unless it says how many",
    schema: () => wholeNumber(1, SLOTS_MAX),
    fallback: () => 8,
  },
  ...NAME_FIELDS,
  ...PROVIDER_FIELDS,
  ...PROXY_FIELDS,
  queueMax: {
    name: "queue_max",
    flags: "--queue-max <number>",
    group: "Limits",
    help: "Length of a model's queue for free slots; a client alone may fill four fifths of it",
    schema: () => wholeNumber(1, QUEUE_MAX),
    fallback: () => 100,
  },
  queueTimeoutMs: {
    name: "queue_timeout",
    flags: "--queue-timeout <time>",
    group: "Limits",
    help: "Longest wait for a free slot; with 0 a request waits for none",
    schema: () => duration(0, 3600 * SECOND_MS),
    fallback: () => 60 * SECOND_MS,
    unit: "ms",
  },
  bodyLimitBytes: {
    name: "body_limit",
    flags: "--body-limit <size>",
    group: "Limits",
    help: "Largest request body accepted",
    schema: () => bytes(1024),
    fallback: () => 64 * 2 ** 20,
    unit: "bytes",
  },
  privateMedia: {
    name: "private_media",
    flags: "--private-media",
    group: "Limits",
    help: "Fetch images that requests name from private and loopback addresses as well",
    schema: () => flag(),
    fallback: () => false,
  },
  firstByteTimeoutMs: {
    name: "first_byte_timeout",
    flags: "--first-byte-timeout <time>",
    group: "Limits",
    help: "Longest wait for an answer to begin, the wait for a slot and all tries included",
    schema: () => duration(100),
    fallback: () => 600 * SECOND_MS,
    unit: "ms",
  },
  tryTimeoutMs: {
    name: "try_timeout",
    flags: "--try-timeout <time>",
    group: "Limits",
    help: "Longest wait for one endpoint's answer to begin while another could be tried",
    schema: () => duration(100),
    fallback: () => 120 * SECOND_MS,
    unit: "ms",
  },
  idleTimeoutMs: {
    name: "idle_timeout",
    flags: "--idle-timeout <time>",
    group: "Limits",
    help: "Longest silence within a streamed answer",
    schema: () => duration(100),
    fallback: () => 120 * SECOND_MS,
    unit: "ms",
  },
  drainTimeoutMs: {
    name: "drain_timeout",
    flags: "--drain-timeout <time>",
    group: "Limits",
    help: "How long running requests may go on after a stop signal",
    schema: () => duration(0),
    fallback: () => 30 * SECOND_MS,
    unit: "ms",
  },
  home: {
    name: "home",
    flags: "--home <folder>",
    group: "Files and logs",
    help: "Data folder: config.json, models, logs",
    schema: (folder) => path(folder),
    fallback: () => join(homedir(), ".llmlb"),
    fallbackText: "~/.llmlb",
    notInFile: true,
  },
  historyBodies: {
    name: "history_bodies",
    flags: "--history-bodies <what>",
    group: "Files and logs",
    help: "Kept of prompts and answers: none, redacted (form without texts), full (no attachments)",
    schema: () => oneOf(HISTORY_BODIES),
    fallback: () => "redacted",
  },
  historyRetentionMs: {
    name: "history_retention",
    flags: "--history-retention <time>",
    group: "Files and logs",
    help: "How long requests stay in the history; statistics are kept forever",
    schema: () => duration(60 * SECOND_MS, 3650 * DAY_MS),
    fallback: () => 7 * DAY_MS,
    unit: "ms",
  },
  logLevel: {
    name: "log_level",
    flags: "--log-level <level>",
    group: "Files and logs",
    help: `Least severe log lines written: ${LEVELS.join(", ")}`,
    schema: () => oneOf(LEVELS),
    fallback: () => "info",
  },
};

/** The settings' keys, in the order of the help. */
export const FIELD_KEYS = Object.keys(FIELDS) as FieldKey[];

/** The environment variable of a field, e.g. `LLMLB_LOG_LEVEL`. */
export function envName(field: Field): string {
  return `LLMLB_${field.name.toUpperCase()}`;
}

/** The long flag of a field, e.g. `--log-level`; `--` for what is given behind that. */
export function flagName(field: Field): string {
  return /--[a-z-]+/.exec(field.flags ?? "")?.[0] ?? "--";
}
