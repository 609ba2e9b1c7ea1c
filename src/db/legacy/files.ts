import { z } from "zod";
import { redact } from "../../lib/redact.ts";
import type { NewRequestRow } from "../history/records.ts";
import { DeviceInfo, type NewEndpoint } from "../state/endpoint.ts";
import type { ImportedModel } from "../state/importedmodels.ts";

const text = z.string().trim().min(1);
const count = z.number().int().nonnegative();
const time = text.transform((value, ctx) => {
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) ctx.addIssue(`must be a time, not ${value}`);
  return ms;
});
const url = text.refine((value) => /^https?:\/\/[^/]/i.test(value) && URL.canParse(value), {
  error: "must be an http or https URL",
});

const OldEndpoint = z.object({
  id: text.optional(),
  name: text,
  base_url: url,
  api_key: text.nullish(),
  health_check_interval_secs: count.nullish(),
  inference_timeout_secs: count.nullish(),
  registered_at: time.nullish(),
  notes: text.nullish(),
  capabilities: z.array(z.string()).nullish(),
  device_info: DeviceInfo.nullish(),
});

/** The port of the node's API is the runtime's port + 1. */
const OldNode = z.object({
  id: text.optional(),
  machine_name: text,
  ip_address: text,
  runtime_port: count.nullish(),
  /** An older name of `runtime_port`. */
  ollama_port: count.nullish(),
  custom_name: text.nullish(),
  notes: text.nullish(),
  tags: z.array(z.string()).nullish(),
  registered_at: time.nullish(),
  gpu_devices: z
    .array(z.object({ model: text, count: count.nullish(), memory: count.nullish() }))
    .nullish(),
});

const OldModel = z.object({
  name: text,
  repo: text.nullish(),
  hf_repo: text.nullish(),
  filename: text.nullish(),
  hf_filename: text.nullish(),
  source: text.nullish(),
  description: z.string().nullish(),
  chat_template: z.string().nullish(),
  size: count.nullish(),
  tags: z.array(z.string()).nullish(),
});

/** What is an endpoint now was an agent first, then a node. */
const OldRequest = z.object({
  id: text,
  timestamp: time,
  completed_at: time.nullish(),
  request_type: text,
  model: z.string(),
  endpoint_id: text.nullish(),
  node_id: text.nullish(),
  agent_id: text.nullish(),
  endpoint_name: text.nullish(),
  node_machine_name: text.nullish(),
  agent_machine_name: text.nullish(),
  client_ip: text.nullish(),
  api_key_id: text.nullish(),
  request_body: z.unknown(),
  response_body: z.unknown(),
  duration_ms: z.number().nonnegative(),
  status: z.union([
    z.object({ type: z.enum(["success", "error"]), message: z.string().nullish() }),
    z.enum(["success", "error"]).transform((type) => ({ type, message: undefined })),
  ]),
  input_tokens: count.nullish(),
  output_tokens: count.nullish(),
});

/** The endpoints of an `endpoints.json`. Throws if one of them is not valid. */
export function readEndpoints(contents: unknown): NewEndpoint[] {
  return listIn(contents, "endpoints", OldEndpoint).map((old) => ({
    ...(old.id === undefined ? {} : { id: old.id }),
    ...(old.registered_at == null ? {} : { registeredAt: old.registered_at }),
    ...(old.capabilities == null ? {} : { capabilities: old.capabilities }),
    ...seconds("healthIntervalMs", old.health_check_interval_secs),
    ...seconds("inferenceTimeoutMs", old.inference_timeout_secs),
    name: old.name,
    baseUrl: old.base_url,
    apiKey: old.api_key ?? null,
    notes: old.notes ?? null,
    deviceInfo: old.device_info ?? null,
  }));
}

/** The nodes of a `nodes.json`, as endpoints. Throws if one of them is not valid. */
export function readNodes(contents: unknown): NewEndpoint[] {
  return listIn(contents, "nodes", OldNode).map((old) => {
    const host = old.ip_address.includes(":") ? `[${old.ip_address}]` : old.ip_address;
    const port = (old.runtime_port ?? old.ollama_port ?? 11434) + 1;
    const baseUrl = `http://${host}:${port}`;
    if (!URL.canParse(baseUrl)) throw new Error(`node ${old.machine_name}: no address ${baseUrl}`);
    const tags = (old.tags ?? []).join(", ");
    const notes = [old.notes ?? "", tags === "" ? "" : `tags: ${tags}`].filter(Boolean).join("\n");
    return {
      ...(old.id === undefined ? {} : { id: old.id }),
      ...(old.registered_at == null ? {} : { registeredAt: old.registered_at }),
      name: old.custom_name ?? old.machine_name,
      baseUrl,
      notes: notes === "" ? null : notes,
      deviceInfo: devicesOf(old.gpu_devices ?? []),
    };
  });
}

/** The models of a `models.json`. Throws if one of them is not valid. */
export function readModels(contents: unknown): ImportedModel[] {
  return listIn(contents, "models", OldModel).map((old) => ({
    name: old.name,
    repo: old.repo ?? old.hf_repo ?? null,
    filename: old.filename ?? old.hf_filename ?? null,
    source: old.source ?? null,
    description: old.description ?? null,
    chatTemplate: old.chat_template ?? null,
    sizeBytes: old.size ?? null,
    tags: old.tags ?? [],
  }));
}

/** The requests of a `request_history.json`. Throws if one of them is not valid. */
export function readRequests(contents: unknown): NewRequestRow[] {
  return listIn(contents, "records", OldRequest).map((old) => ({
    id: old.id,
    requestId: old.id,
    requestType: old.request_type,
    model: old.model,
    endpointId: old.endpoint_id ?? old.node_id ?? old.agent_id ?? null,
    endpointName: old.endpoint_name ?? old.node_machine_name ?? old.agent_machine_name ?? null,
    clientIp: old.client_ip ?? null,
    apiKeyId: old.api_key_id ?? null,
    startedAt: old.timestamp,
    ...(old.completed_at == null ? {} : { completedAt: old.completed_at }),
    durationMs: old.duration_ms,
    succeeded: old.status.type === "success",
    error: old.status.message ?? null,
    inputTokens: old.input_tokens ?? null,
    outputTokens: old.output_tokens ?? null,
    tokenSource: old.input_tokens == null && old.output_tokens == null ? null : "usage",
    requestBody: bodyOf(old.request_body),
    responseBody: bodyOf(old.response_body),
  }));
}

/** The list that a file consists of, or has under `key`. */
function listIn<T>(contents: unknown, key: string, item: z.ZodType<T>): T[] {
  const list = z.union([z.array(z.unknown()), z.object({ [key]: z.array(z.unknown()) })]);
  const parsed = list.safeParse(contents);
  if (!parsed.success) throw new Error(`it is neither a list nor an object with "${key}"`);
  const items = Array.isArray(parsed.data) ? parsed.data : (parsed.data[key] ?? []);
  return items.map((value, i) => {
    const result = item.safeParse(value);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new Error(`item ${i + 1}: ${issue?.path.join(".")}: ${issue?.message}`);
  });
}

function seconds<K extends string>(key: K, value: number | null | undefined) {
  return (value == null ? {} : { [key]: value * 1000 }) as { [key in K]?: number };
}

function devicesOf(gpus: NonNullable<z.infer<typeof OldNode>["gpu_devices"]>) {
  if (gpus.length === 0) return null;
  const devices = gpus.flatMap(({ model, count: gpuCount, memory }) => {
    const device = { name: model, total_memory_bytes: memory ?? 0, used_memory_bytes: 0 };
    return Array.from({ length: Math.min(gpuCount ?? 1, 64) }, () => device);
  });
  return { device_type: "gpu" as const, gpu_devices: devices };
}

function bodyOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return redact(typeof value === "string" ? value : JSON.stringify(value));
}
