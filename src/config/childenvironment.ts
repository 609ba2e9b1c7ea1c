import { envName } from "./fields/field.ts";
import { PROXY_FIELDS } from "./fields/proxies.ts";
import { FIELD_KEYS, FIELDS, fieldOf } from "./fields.ts";

/** Read by children from their environment: the data folder, and proxies, which Bun uses itself. */
const KEPT = new Set<object>([FIELDS.home, ...Object.values(PROXY_FIELDS)]);

/** Where a balancer sends its traces, with a key in the headers. */
const TRACING = /^OTEL_/;

/**
 * The environment of a child that gets its settings by message: without the variables of settings,
 * some of which hold keys, which would stand in it for all processes of this user to read.
 */
export function childEnvironment(
  env: Record<string, string | undefined>,
): Record<string, string | undefined> {
  const settings = FIELD_KEYS.map(fieldOf).filter((field) => !KEPT.has(field));
  const names = new Set(settings.flatMap((field) => [envName(field), ...(field.aliases ?? [])]));
  const isNeeded = (name: string) => !names.has(name) && !TRACING.test(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isNeeded(name)));
}
