/** A model of a host in the pictures. */
interface PicturedModel {
  id: string;
  state: "ready" | "loading" | "unloaded";
  /** GB in each memory: `CUDA0`, `host` … */
  on?: Record<string, number>;
  isPinned?: boolean;
}

interface PicturedHost {
  name: string;
  hostGb: number;
  slots: number;
  gpus: { description: string; totalGb: number; otherGb: number }[];
  models: PicturedModel[];
}

const H100 = "NVIDIA H100 80GB HBM3";
const GB = 1e9;

/** A fleet as an office may have it: two hosts with GPUs and a workstation. */
export const HOSTS: PicturedHost[] = [
  {
    ...{ name: "gpu-rack-1", hostGb: 512, slots: 24 },
    gpus: [
      { description: H100, totalGb: 85, otherGb: 1.2 },
      { description: H100, totalGb: 85, otherGb: 0.6 },
    ],
    models: [
      {
        ...{ id: "llama-3.3-70b-instruct", state: "ready", isPinned: true },
        on: { CUDA0: 41.2, CUDA1: 38.5, host: 1.1 },
      },
      { id: "qwen3-30b-a3b", state: "ready", on: { CUDA0: 24.3, host: 0.9 } },
      { id: "nomic-embed-text-v1.5", state: "ready", on: { CUDA1: 1.6, host: 0.3 } },
      { id: "gemma-3-27b-it", state: "loading", on: { CUDA1: 21.4 } },
      { id: "mistral-small-3.2-24b", state: "unloaded" },
    ],
  },
  {
    ...{ name: "gpu-rack-2", hostGb: 256, slots: 16 },
    gpus: [{ description: "NVIDIA L40S", totalGb: 48, otherGb: 6.9 }],
    models: [
      { id: "qwen3-30b-a3b", state: "ready", on: { CUDA0: 24.3, host: 0.9 } },
      { id: "llama-3.1-8b-instruct", state: "ready", on: { CUDA0: 9.8, host: 0.7 } },
      { id: "phi-4", state: "unloaded" },
    ],
  },
  {
    ...{ name: "mac-studio", hostGb: 192, slots: 8, gpus: [] },
    models: [
      { id: "llama-3.1-8b-instruct", state: "ready", on: { host: 10.4 } },
      { id: "gpt-oss-120b", state: "ready", on: { host: 66.1 } },
    ],
  },
];

/** Starts a stand-in for a node of llmlb with such a host; `answer` gives its chats. */
export function serveHost(host: PicturedHost, answer: (request: Request) => Promise<Response>) {
  const models = host.models.map(({ id }) => ({ id, object: "model", owned_by: "llmlb" }));
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") return Response.json({ object: "list", data: models });
      if (pathname === "/api/system") return Response.json(systemOf(host));
      if (request.method !== "POST") return new Response("not here", { status: 404 });
      // The question that tells servers apart.
      if (request.headers.get("content-length") === "2") return new Response("{}", { status: 400 });
      return answer(request);
    },
  });
}

/** What a node tells of itself. */
function systemOf({ gpus, hostGb, slots, models }: PicturedHost): object {
  const host = { name: "host", description: "Host", total_bytes: hostGb * GB };
  const memories = gpus.map(({ description, totalGb, otherGb }, i) => ({
    ...{ name: `CUDA${i}`, description },
    ...{ total_bytes: totalGb * GB, other_bytes: otherGb * GB },
  }));
  return {
    llmlb_version: "0.1.0",
    device: { device_type: gpus.length > 0 ? "gpu" : "cpu", gpu_devices: [] },
    devices: [],
    slots: { total: slots, busy: 0 },
    models: models.map(({ id, state, on = {}, isPinned }) => ({
      ...{ id, state, slots: 8, pinned: isPinned === true },
      reserved: Object.fromEntries(Object.entries(on).map(([name, gb]) => [name, gb * GB])),
      reserved_bytes: Object.values(on).reduce((sum, gb) => sum + gb, 0) * GB,
    })),
    memory: {
      ...{ budget_bytes: 1e12, reserved_bytes: 0 },
      memories: [...memories, { ...host, other_bytes: 0.11 * hostGb * GB }],
    },
  };
}
