import { MODES, type Mode } from "../mode.ts";
import { hostNames } from "../values/hostname.ts";
import { networkList } from "../values/network.ts";
import { LOCAL_ORIGINS, originList } from "../values/origin.ts";
import { nonEmptyText, oneOf, trueOrFalse, wholeNumber } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

const PORT_MAX = 65_535;
/** Port of a standalone llmlb or a balancer; a node's own is the next one. */
const DEFAULT_PORT = 32_768;
const DEFAULT_NODE_PORT = DEFAULT_PORT + 1;

type AccessMode = "auto" | "required" | "off";
const ACCESS_MODES: AccessMode[] = ["auto", "required", "off"];

/** What a process serves, and where it listens. */
export interface ServerSettings {
  mode: Mode;
  /** Address to listen on. */
  host: string;
  /** Port to listen on; 0 takes any free one. */
  port: number;
  /** Port of the local node in standalone mode; a free one is taken if it is busy. */
  nodePort: number;
  /** Who must show whose a request is: those of other machines, everybody, nobody. */
  access: AccessMode;
  /** An older way to say `access: "off"`. */
  insecure: boolean;
  /** The first admin, made by the first start that needs one. */
  adminUsername: string;
  /** His password; null: one is made up and printed. */
  adminPassword: string | null;
  /**
   * Further names that clients may call this server by, in lower case: `llm.example`, `.example`
   * with all below it, `*.example` for these alone, `*` for any.
   */
  allowedHosts: string[];
  /** Origins of pages that browsers may let use this server; `local`: this machine's, `*`: any. */
  allowedOrigins: string[];
  /** Addresses and networks of reverse proxies whose `X-Forwarded-…` headers are believed. */
  trustedProxies: string[];
  /** Answers name the upstream and the model that served them. */
  servedBy: boolean;
  /** A stream that breaks goes on at another endpoint. */
  continueStreams: boolean;
}

/** The fields of `ServerSettings`. */
export const SERVER_FIELDS: FieldsOf<ServerSettings> = {
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
    help: "Address to listen on; 0.0.0.0 for all. Beyond loopback requests need a key",
    schema: () => nonEmptyText("an address such as 127.0.0.1"),
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
  access: {
    name: "access",
    flags: "--access <mode>",
    group: "Server",
    help: "Who needs a key: auto (everybody, if other machines can reach the address), required \
(everybody), off (nobody: whoever can connect may do everything)",
    schema: () => oneOf(ACCESS_MODES),
    fallback: () => "auto",
  },
  adminUsername: {
    name: "admin_username",
    flags: "--admin-username <name>",
    group: "Server",
    help: "Name of the admin that the first start with access control makes",
    schema: () => nonEmptyText("a name"),
    fallback: () => "admin",
  },
  adminPassword: {
    name: "admin_password",
    flags: "--admin-password <password>",
    secret: true,
    group: "Server",
    help: "The password of that admin; better given as LLMLB_ADMIN_PASSWORD",
    schema: () => nonEmptyText("a password"),
    fallback: () => null,
    fallbackText: "made up and printed once",
  },
  insecure: {
    name: "insecure",
    flags: "--insecure",
    group: "Server",
    help: "The same as --access off",
    schema: () => trueOrFalse(),
    fallback: () => false,
  },
  allowedHosts: {
    name: "allowed_hosts",
    flags: "--allowed-hosts <names>",
    group: "Server",
    help: "Further names by which clients reach this server, e.g. behind a proxy: llm.example.com, \
.example.com with all below it, or * for any",
    schema: () => hostNames(),
    fallback: () => [],
    fallbackText: "this machine's",
  },
  allowedOrigins: {
    name: "allowed_origins",
    flags: "--allowed-origins <origins>",
    group: "Server",
    help: "Pages in browsers that may use this server: https://chat.example.com, local for those \
of the browser's own machine, * for any, none",
    schema: () => originList(),
    fallback: () => [LOCAL_ORIGINS],
    fallbackText: "local",
  },
  trustedProxies: {
    name: "trusted_proxies",
    flags: "--trusted-proxies <networks>",
    group: "Server",
    help: "Reverse proxies in front, whose X-Forwarded-For, -Proto and -Host are believed: \
127.0.0.1, 10.0.0.0/8",
    schema: () => networkList(),
    fallback: () => [],
    fallbackText: "none",
  },
  servedBy: {
    name: "served_by",
    reload: true,
    flags: "--served-by <on or off>",
    group: "Server",
    help: "Answers name the endpoint and model that served them (x-llmlb-endpoint, x-llmlb-model)",
    schema: () => trueOrFalse(),
    fallback: () => true,
    fallbackText: "on",
  },
  continueStreams: {
    name: "continue_streams",
    flags: "--continue-streams <on or off>",
    group: "Server",
    help: "A stream whose endpoint fails is continued by another one that has the model",
    schema: () => trueOrFalse(),
    fallback: () => true,
    fallbackText: "on",
  },
};
