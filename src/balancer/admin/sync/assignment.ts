import { chatTemplateHash } from "../../../model/chattemplatehash.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { AssignedModelList } from "../../../wire/sync.ts";

/** The models that a node shall have, with the names that requests for them may use. */
export function assignmentOf(registry: Registry, node: string, nodes: string[]): AssignedModelList {
  const rows = registry.assignedTo(node, nodes);
  const variants = Map.groupBy(
    registry.meanings().filter(({ quantization }) => quantization !== undefined),
    ({ id }) => id,
  );
  const models = rows.map(({ id, revision, ownTemplate, settings }) => ({
    ...{ id, revision, template: chatTemplateHash(ownTemplate), settings },
    names: (registry.resolve(id)?.names ?? []).filter((name) => name !== id),
    quantizations: variants.get(id)?.flatMap(({ quantization }) => quantization ?? []) ?? [],
  }));
  return { models, complete: true };
}
