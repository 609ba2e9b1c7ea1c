import { z } from "zod";
import { DeviceInfo } from "../../db/state/endpoint.ts";
import { HostMemoryView } from "../../wire/host.ts";
import { Device, NodeSystem } from "../../wire/system.ts";
import { type GetJsonOptions, getJson, type JsonServer } from "../upstream/jsonclient.ts";

const Text = z.string().max(200).optional().catch(undefined);
const Amount = z.number().nonnegative().optional().catch(undefined);

/** A model of a node, as `NodeModel` of wire. */
const ReportedModel = z.looseObject({
  id: z.string().optional().catch(undefined),
  names: z.array(z.string()).optional().catch(undefined),
  state: z.string(),
  slots: Amount,
  load_ms: Amount,
  reserved_bytes: Amount,
  reserved: z.record(z.string(), z.number().nonnegative()).optional().catch(undefined),
  size_bytes: Amount,
  expires_at: z.string().optional().catch(undefined),
  pinned: z.boolean().optional().catch(undefined),
});

const Lending = z.looseObject({
  loans: z.array(z.unknown()),
  loans_max: z.number().nonnegative(),
});

/** The fields of `GET /api/system` that are used. An invalid field counts as missing. */
const SystemReport = z.looseObject({
  llmlb_version: Text,
  bun_version: Text,
  llama_cpp_version: Text,
  backend: Text,
  skipped_backends: NodeSystem.shape.skipped_backends.unwrap().max(100).optional().catch(undefined),
  gpus: NodeSystem.shape.gpus.unwrap().max(100).optional().catch(undefined),
  device: DeviceInfo.optional().catch(undefined),
  slots: z
    .looseObject({ total: z.number().nonnegative(), busy: z.number().nonnegative() })
    .optional()
    .catch(undefined),
  devices: z.array(Device).optional().catch(undefined),
  lending: Lending.optional().catch(undefined),
  models: z.array(ReportedModel).optional().catch(undefined),
  memory: z
    .looseObject({
      ...{ budget_bytes: z.number(), reserved_bytes: z.number() },
      memories: z.array(HostMemoryView).max(1000).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** What an endpoint reports of itself: version, device, slots and models. */
export type SystemReport = z.infer<typeof SystemReport>;

/**
 * Asks a server for its report (`GET /api/system`, then the older `/v0/system`). Undefined if it
 * has none. Never throws.
 */
export async function getSystemReport(
  server: JsonServer,
  options: GetJsonOptions,
): Promise<SystemReport | undefined> {
  for (const path of ["/api/system", "/v0/system"]) {
    const answer = await getJson(server, path, options);
    const report = answer.ok ? SystemReport.safeParse(answer.json).data : undefined;
    if (report?.llmlb_version !== undefined || report?.device !== undefined) return report;
    if (!answer.ok && answer.failure === "connection") return undefined;
  }
  return undefined;
}
