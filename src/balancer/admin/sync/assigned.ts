import { chatTemplateHash } from "../../../model/chattemplatehash.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { AssignedModelList } from "../../../wire/sync.ts";

/** What a node shall have, with the names by which it may be asked for it. */
export function wantedList(registry: Registry, node: string, known: string[]): AssignedModelList {
  const rows = registry.assignedTo(node, known);
  const variants = Map.groupBy(
    registry.meanings().filter(({ quantization }) => quantization !== undefined),
    ({ id }) => id,
  );
  const models = rows.map(({ id, revision, ownTemplate }) => ({
    ...{ id, revision, template: chatTemplateHash(ownTemplate) },
    names: (registry.resolve(id)?.names ?? []).filter((name) => name !== id),
    quantizations: variants.get(id)?.flatMap(({ quantization }) => quantization ?? []) ?? [],
  }));
  return { models, complete: true };
}
