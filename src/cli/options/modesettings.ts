import { JOINING_FIELDS } from "../../config/fields/joining.ts";
import { OIDC_FIELDS } from "../../config/fields/oidc.ts";
import { PROVIDER_FIELDS } from "../../config/fields/providers.ts";
import { PROXY_FIELDS } from "../../config/fields/proxies.ts";
import { WORKER_FIELDS } from "../../config/fields/workers.ts";
import { FIELD_KEYS, type FieldKey } from "../../config/fields.ts";
import type { Mode } from "../../config/mode.ts";

/** Settings without effect in a mode: its command does not take their flags. */
const UNUSED: Record<Mode, FieldKey[]> = {
  // Nobody but its balancer reaches the local node.
  standalone: ["rpcWorker"],
  balancer: [
    ...(Object.keys(JOINING_FIELDS) as FieldKey[]),
    ...(["mode", "nodePort", "models", "mmproj", "engineArgs", "loadTimeoutMs"] as const),
    ...(Object.keys(WORKER_FIELDS) as FieldKey[]),
  ],
  node: [
    ...(["mode", "nodePort", "endpoints", "healthIntervalMs", "healthTimeoutMs"] as const),
    ...(Object.keys(OIDC_FIELDS) as FieldKey[]),
    ...(Object.keys(PROVIDER_FIELDS) as FieldKey[]),
    ...(Object.keys(PROXY_FIELDS) as FieldKey[]),
  ],
};

/** The settings that the command of a mode takes, in the order of the help. */
export function settingsOfMode(mode: Mode): FieldKey[] {
  return FIELD_KEYS.filter((key) => !UNUSED[mode].includes(key));
}
