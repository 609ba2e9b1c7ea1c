import { z } from "zod";
import { DeviceInfo } from "../../db/state/endpoint.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";

/** What is read of `GET /api/system`; every part may be missing. */
const System = z.looseObject({
  llmlb_version: z.string().optional().catch(undefined),
  device: DeviceInfo.optional().catch(undefined),
  slots: z
    .looseObject({ total: z.number().nonnegative(), busy: z.number().nonnegative() })
    .optional()
    .catch(undefined),
  models: z
    .array(z.looseObject({ id: z.string().optional().catch(undefined), state: z.string() }))
    .optional()
    .catch(undefined),
});

/** What an endpoint tells of itself. */
export type SystemReport = z.infer<typeof System>;

/** Asks an endpoint what it is and does; undefined if it says nothing of the kind. Never throws. */
export async function readSystem(
  endpoint: Endpoint,
  options: GetJsonOptions,
): Promise<SystemReport | undefined> {
  for (const path of ["/api/system", "/v0/system"]) {
    const answer = await getJson(endpoint, path, options);
    const report = answer.ok ? System.safeParse(answer.json).data : undefined;
    if (report?.llmlb_version !== undefined || report?.device !== undefined) return report;
    if (!answer.ok && answer.failure === "connection") return undefined;
  }
  return undefined;
}
