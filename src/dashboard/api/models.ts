import { useQuery } from "@tanstack/react-query";
import { z } from "zod";
import { call } from "./call.ts";

const ListedModel = z.object({
  id: z.string(),
  ready: z.boolean().default(true),
  /** Whether an endpoint has it loaded; null: none tells. */
  loaded: z.boolean().nullable().default(null),
  aliases: z.array(z.string()).default([]),
  /** Names of its endpoints; undefined: it is a provider's. */
  endpoint_ids: z.array(z.string()).optional(),
  owned_by: z.string().default(""),
  lifecycle_status: z.string().optional(),
  capabilities: z.record(z.string(), z.boolean()).default({}),
  /** Like the size only of registered models: where it is on the hub. */
  repo: z.string().optional(),
  description: z.string().optional(),
  size_bytes: z.number().optional(),
});
export type ListedModel = z.infer<typeof ListedModel>;

const ModelList = z.object({ data: z.array(ListedModel) });

/** The models that the reader may use, as `GET /v1/models` lists them. */
export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => call(ModelList, "GET /v1/models", { signal }),
  });
}

/** One of them, by any of its names. */
export function useModel(name: string) {
  return useQuery({
    queryKey: ["models", "one", name],
    queryFn: ({ signal }) =>
      call(ListedModel, `GET /v1/models/${encodeURIComponent(name)}`, { signal }),
  });
}
