import type { InferenceRoute } from "../../wire/route.ts";
import type { RequestRecord } from "./record.ts";

/** OpenTelemetry's names of operations; what it has none for bears our name of the capability. */
const OPERATIONS: Partial<Record<InferenceRoute["capability"], string>> = {
  completion: "text_completion",
};

/** OpenTelemetry's `gen_ai.operation.name` of a route. */
export function operationOf({ name, capability }: Pick<InferenceRoute, "name" | "capability">) {
  return name === "count_tokens" ? name : (OPERATIONS[capability] ?? capability);
}

/** Who answers requests that come to no upstream. */
export const OWN_TELEMETRY_NAME = "llmlb";

/** OpenTelemetry's `error.type` of a request that ended: a code, else the status; or none. */
export function errorTypeOf({ error, status }: Pick<RequestRecord, "error" | "status">) {
  return error ?? (status !== null && status >= 400 ? String(status) : undefined);
}
