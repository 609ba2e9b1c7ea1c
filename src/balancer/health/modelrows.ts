import { z } from "zod";
import type { EndpointModel, ListedModel } from "../../db/state/endpointmodels.ts";
import type { ModelMap } from "../upstream/endpoint.ts";

/** A list of models as rows of the store. */
export function rowsOfModels(models: ModelMap): ListedModel[] {
  return [...models.values()].map((entry) => {
    const { created, owned_by, max_tokens, capabilities } = ModelEntryFields.parse(entry);
    return {
      modelId: entry.id,
      capabilities: capabilities ?? null,
      maxTokens: max_tokens ?? null,
      ownedBy: owned_by ?? null,
      createdAt: created === undefined ? null : Math.round(created * 1000),
    };
  });
}

/** The list of models that was saved as these rows. */
export function modelsOfRows(models: readonly EndpointModel[]): ModelMap {
  return new Map(
    models.map(({ modelId: id, capabilities, maxTokens, ownedBy, createdAt }) => [
      id,
      {
        id,
        ...(createdAt === null ? {} : { created: Math.floor(createdAt / 1000) }),
        ...(ownedBy === null ? {} : { owned_by: ownedBy }),
        ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
        ...(capabilities === null ? {} : { capabilities }),
      },
    ]),
  );
}

/** The fields that an entry of a list of models has besides its id. */
export const ModelEntryFields = z.looseObject({
  created: z.number().optional(),
  owned_by: z.string().optional(),
  max_tokens: z.number().optional(),
  capabilities: z.array(z.string()).optional(),
});
