import type { Operation, Operations } from "./operation.ts";
import { ACCOUNT_OPERATIONS } from "./operations/accounts.ts";
import { ENDPOINT_OPERATIONS } from "./operations/endpoints.ts";
import { INFERENCE_OPERATIONS } from "./operations/inference.ts";
import { MODEL_OPERATIONS } from "./operations/models.ts";
import { OPERATING_OPERATIONS } from "./operations/operating.ts";

/** The parts of the document, in its order. */
export const PARTS: Readonly<Record<string, Operations>> = {
  Inference: INFERENCE_OPERATIONS,
  Models: MODEL_OPERATIONS,
  "Endpoints and nodes": ENDPOINT_OPERATIONS,
  Accounts: ACCOUNT_OPERATIONS,
  Operating: OPERATING_OPERATIONS,
};

/** Older paths that are not the newer one under `/v0`. */
const OLDER: Readonly<Record<string, string>> = {
  "GET /log/level": "GET /api/log/level",
  "POST /log/level": "POST /api/log/level",
  "GET /api/dashboard/logs/lb": "GET /api/logs",
};

/** What a route does, its part of the document, and its newer name if it is an older one. */
export interface FoundOperation {
  part: string;
  operation: Operation;
  newer?: string;
}

/** Finds what is said of a route, by its own name or its newer one; undefined: nothing is. */
export function findOperation(route: string): FoundOperation | undefined {
  const newer = route.replace(" /v0/", " /api/");
  const known = [route, newer, OLDER[newer] ?? newer];
  for (const name of known) {
    for (const [part, operations] of Object.entries(PARTS)) {
      const operation = operations[name];
      if (operation === undefined) continue;
      return { part, operation, ...(name === route ? {} : { newer: name }) };
    }
  }
  return undefined;
}
