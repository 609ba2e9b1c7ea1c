import type { State } from "../db/database.ts";
import type { DeviceInfo } from "../db/state/endpoint.ts";
import type { ImportedModel } from "../db/state/importedmodels.ts";
import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import { errorMessage } from "../lib/errormessage.ts";
import type { Logger } from "../lib/log.ts";
import { hubModelId } from "../model/name.ts";
import { ApiError } from "../wire/error.ts";
import { ALIAS } from "../wire/registry.ts";
import type { HubClient } from "./hubclient.ts";
import { findModel } from "./lookup.ts";
import { checkFilename, parseReference } from "./reference.ts";
import type { RegistrationStore } from "./registeredmodels.ts";

export interface ModelImportOptions {
  models: RegistrationStore;
  hub: HubClient;
  /** Devices of the registered endpoints, as far as they report them. */
  devices(): DeviceInfo[];
  log: Logger;
}

/** Wait before the hub is asked again about imported models, after it could not be reached. */
const RETRY_MS = 60_000;

/** Registers the models of an earlier program, and asks the hub what they are made of. */
export class ModelImport {
  readonly #options: ModelImportOptions;
  readonly #closing = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ModelImportOptions) {
    this.#options = options;
  }

  /** Registers what the earlier program had; a model that cannot be registered is logged. */
  async run(state: Pick<State, "importedModels">): Promise<void> {
    const { models, hub, log } = this.#options;
    const names = new Map<RegisteredRow, string>();
    const skipped = (name: string, repo: string | null, reason: string) =>
      log.warn({ model: name, repo, reason }, "registry.import_skipped");
    for (const imported of await state.importedModels()) {
      const row = rowOf(imported, hub.url, Date.now());
      if (row !== undefined) names.set(row, imported.name);
      else skipped(imported.name, imported.repo, "it is in no repository");
    }
    for (const { row, reason } of await models.import([...names.keys()])) {
      if (reason === undefined) log.info({ model: row.id }, "registry.imported");
      else skipped(names.get(row) ?? row.id, row.repo, reason);
    }
  }

  /** Begins to ask the hub about the models that were imported. */
  start(): void {
    void this.#completeAll();
  }

  close(): void {
    this.#closing.abort(new Error("The registry is closed."));
    clearTimeout(this.#timer);
  }

  /** Asks the hub about an imported model and stores its content. Throws as `findModel` does. */
  async complete(row: RegisteredRow, signal: AbortSignal): Promise<RegisteredRow> {
    const { models, hub, devices } = this.#options;
    const { id, repo } = row;
    const filename = row.filename ?? undefined;
    const request = { hub, repo, revision: "main", filename, devices: devices(), signal };
    const { chatTemplate: template, ...found } = await findModel(request);
    const { revision, content } = found;
    const chatTemplate = template ?? row.chatTemplate;
    // The hub's spelling may be another one than that of the earlier program.
    await models.change(id, { repo: found.repo, revision, content, chatTemplate });
    return models.find(id);
  }

  async #completeAll(): Promise<void> {
    const { models, log } = this.#options;
    const { signal } = this.#closing;
    for (const row of models.list().filter(({ content }) => content === null)) {
      if (signal.aborted) return;
      try {
        await this.complete(row, signal);
      } catch (cause) {
        if (signal.aborted) return;
        const reason = errorMessage(cause);
        log.warn({ model: row.id, reason }, "registry.incomplete");
        if (!(cause instanceof ApiError) || cause.kind !== "upstream") continue;
        // The hub cannot be reached: that goes for the other models, too.
        this.#timer = setTimeout(() => void this.#completeAll(), RETRY_MS);
        this.#timer.unref();
        return;
      }
    }
  }
}

/**
 * A model of an earlier program as a row: with its repository, but without the content, which only
 * the hub knows. Undefined if the model has no repository, or one that cannot exist.
 */
function rowOf(model: ImportedModel, hubUrl: string, now: number): RegisteredRow | undefined {
  if (model.repo === null) return undefined;
  try {
    const { repo, filename: found } = parseReference(model.repo, hubUrl);
    const filename = model.filename === null ? found : checkFilename(model.filename);
    return {
      id: hubModelId(repo, filename ?? null),
      ...{ repo, filename: filename ?? null, revision: null, content: null },
      displayName: model.description,
      chatTemplate: model.chatTemplate,
      // Whether an operator gave that or it came from the hub was not kept.
      ownTemplate: null,
      ...{ replicas: null, nodes: null, settings: null },
      aliases: ALIAS.test(model.name) ? [model.name] : [],
      ...{ registeredAt: now, updatedAt: now },
    };
  } catch {
    return undefined; // Whatever it was, the hub has no such thing.
  }
}
