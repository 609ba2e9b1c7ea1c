import type { ImportedModel } from "../db/state/importedmodels.ts";
import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { ALIAS } from "../wire/registry.ts";
import { idOf } from "./conflict.ts";
import { checkFilename, parseReference } from "./reference.ts";

/**
 * A model of an earlier program as it is registered here: its repository is known, what it is made
 * of is asked of the hub later. Undefined if it has no repository, or one that cannot be.
 */
export function fromImported(
  model: ImportedModel,
  hubUrl: string,
  now: number,
): RegisteredRow | undefined {
  if (model.repo === null) return undefined;
  try {
    const { repo, filename: found } = parseReference(model.repo, hubUrl);
    const filename = model.filename === null ? found : checkFilename(model.filename);
    return {
      id: idOf(repo, filename ?? null),
      ...{ repo, filename: filename ?? null, revision: null, content: null },
      displayName: model.description,
      chatTemplate: model.chatTemplate,
      // Whether an operator gave that or it came from the hub was not kept.
      ownTemplate: null,
      ...{ replicas: null, nodes: null },
      aliases: ALIAS.test(model.name) ? [model.name] : [],
      ...{ registeredAt: now, updatedAt: now },
    };
  } catch {
    return undefined; // Whatever it was, the hub has no such thing.
  }
}
