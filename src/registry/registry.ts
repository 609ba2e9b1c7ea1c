import type { State } from "../db/database.ts";
import type { DeviceInfo } from "../db/state/endpoint.ts";
import type { RegisteredRow } from "../db/state/registeredmodels.ts";
import type { Logger } from "../lib/log.ts";
import { directoryOf, hubModelId } from "../model/name.ts";
import { ApiError } from "../wire/error.ts";
import type { Manifest, Peer } from "../wire/manifest.ts";
import type { ModelPreview } from "../wire/preview.ts";
import type {
  ModelChangeBody,
  RegisterBody,
  RegisteredDetail,
  RegisteredModel,
  Registration,
} from "../wire/registry.ts";
import type { RunSettings } from "../wire/runsettings.ts";
import { isAssigned } from "./assignment.ts";
import { duplicate } from "./conflict.ts";
import type { HubClient } from "./hubclient.ts";
import { findModel } from "./lookup.ts";
import { buildManifest } from "./manifest.ts";
import { ModelImport } from "./modelimport.ts";
import { detailView, modelView } from "./modelview.ts";
import type { NameMeaning } from "./nameindex.ts";
import { type PreviewNode, previewModel } from "./preview.ts";
import { checkFilename, parseReference, type Reference } from "./reference.ts";
import { RegistrationStore, type RegistryChange } from "./registeredmodels.ts";
import { changedSettings } from "./settingschange.ts";

export interface RegistryOptions {
  state: Pick<State, "registered" | "importedModels">;
  hub: HubClient;
  /** Patterns of the origins that manifests allow; see `isAllowed`. */
  allowlist: readonly string[];
  /** Devices of the registered endpoints, as far as they report them. */
  devices(): DeviceInfo[];
  /** The nodes that models go to. Default: none. */
  nodes?(): PreviewNode[];
  /** Whether an online endpoint lists the model by one of these names. */
  isReady(names: readonly string[]): boolean;
  /** Nodes that have verified files of a model. Default: none. */
  peers?(id: string): Peer[];
  /** Why engines would refuse llama-server's arguments. Default: they do not. */
  argumentFault?(args: string[]): Promise<string | undefined>;
  log: Logger;
}

/** The models that clients may ask for, whether a node has them or not. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #models: RegistrationStore;
  readonly #import: ModelImport;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const { state, hub, devices, log } = options;
    this.#models = new RegistrationStore(state.registered, log);
    this.#import = new ModelImport({ models: this.#models, hub, devices, log });
  }

  /** Reads what is registered, and registers what an earlier program had. */
  async load(): Promise<void> {
    await this.#models.load();
    await this.#import.run(this.#options.state);
  }

  /** Begins to ask the hub about imported models. */
  start(): void {
    this.#import.start();
  }

  close(): void {
    this.#import.close();
    this.#models.close();
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onChange(listener: (change: RegistryChange) => void): () => void {
    return this.#models.onChange(listener);
  }

  /** The model that a name means, and all names by which endpoints may list it. */
  resolve(name: string): NameMeaning | undefined {
    return this.#models.resolve(name);
  }

  /** Everything that a name can mean: models, then their quantizations. */
  meanings(): NameMeaning[] {
    return this.#models.meanings();
  }

  /** All models, in the order of their ids. */
  list(): RegisteredModel[] {
    return this.rows().map((row) => modelView(row, this.#isReady(row)));
  }

  /** The model with an id. */
  get(id: string): RegisteredModel | undefined {
    const row = this.#models.get(id);
    return row === undefined ? undefined : modelView(row, this.#isReady(row));
  }

  /** All models as they are stored, in the order of their ids. */
  rows(): RegisteredRow[] {
    return this.#models.list();
  }

  /** A text that is another one after every change. */
  get revision(): string {
    return this.#models.revision;
  }

  /** The models that a node shall have, if it can hold them. */
  assignedTo(node: string, known: readonly string[]): RegisteredRow[] {
    return this.rows().filter((row) => isAssigned(row, node, known));
  }

  /** Everything about a model, by any of its names. Throws 404. */
  detail(name: string): RegisteredDetail {
    const row = this.#models.find(name);
    return detailView(row, { ready: this.#isReady(row), names: this.#namesOf(row) });
  }

  /** Whether an online endpoint has the model with an id. */
  isReady(id: string): boolean {
    const row = this.#models.get(id);
    return row !== undefined && this.#isReady(row);
  }

  /** Registers a model of the hub; nothing is downloaded. Throws 400, 403, 404, 409, 502. */
  async register(body: RegisterBody, signal: AbortSignal): Promise<Registration> {
    const { hub, devices } = this.#options;
    const reference = referenceOf(body, hub.url);
    const { repo, revision = "main", filename, folder, quantization } = reference;
    // An id that is certainly registered already needs no request to the hub.
    if (quantization === undefined && folder === undefined)
      this.#refuseDuplicate(repo, filename ?? null);
    const which = { repo, revision, filename, folder, quantization };
    const {
      stale,
      notes: _,
      ...found
    } = await findModel({
      ...{ ...which, devices: devices(), hub, signal },
    });
    const settings = await this.#settings(null, body.settings);
    const now = Date.now();
    const { id } = await this.#models.add({
      ...{ id: hubModelId(found.repo, found.filename), ...found },
      displayName: body.display_name ?? null,
      ownTemplate: body.chat_template ?? null,
      ...{ replicas: body.replicas ?? null, nodes: body.nodes ?? null, settings },
      ...{ aliases: body.aliases ?? [], registeredAt: now, updatedAt: now },
    });
    const detail = this.detail(id);
    const primary = found.filename ?? found.content.primary;
    return { ...detail, status: "registered", filename: primary, stale };
  }

  /** What could be registered, before it is. Throws 400, 403, 404, 502. */
  async preview(
    body: Pick<RegisterBody, "repo" | "filename">,
    signal: AbortSignal,
  ): Promise<ModelPreview> {
    const { hub, nodes = () => [] } = this.#options;
    const ids = new Set(this.rows().map(({ id }) => id.toLowerCase()));
    const isRegistered = (id: string) => ids.has(id.toLowerCase());
    const reference = referenceOf(body, hub.url);
    return await previewModel(reference, { hub, nodes: nodes(), isRegistered, signal });
  }

  /** Changes names and placement. Throws 404 and 409. */
  async change(name: string, body: ModelChangeBody): Promise<RegisteredDetail> {
    const { id, settings } = this.#models.find(name);
    const { aliases, display_name: displayName, chat_template: ownTemplate } = body;
    const { replicas, nodes } = body;
    await this.#models.change(id, {
      ...(displayName === undefined ? {} : { displayName }),
      ...(ownTemplate === undefined ? {} : { ownTemplate }),
      ...(replicas === undefined ? {} : { replicas }),
      ...(nodes === undefined ? {} : { nodes }),
      ...(body.settings === undefined
        ? {}
        : { settings: await this.#settings(settings, body.settings) }),
      ...(aliases === undefined ? {} : { aliases: aliases ?? [] }),
    });
    return this.detail(id);
  }

  /** Removes a model from the registry; nodes delete it at their next sync. Throws 404. */
  remove(name: string): Promise<void> {
    return this.#models.remove(name);
  }

  /** The files that a model needs. Throws 404, and as `register` does for an imported model. */
  async manifest(name: string, signal: AbortSignal): Promise<Manifest> {
    const { hub, allowlist, peers = () => [] } = this.#options;
    const found = this.#models.find(name);
    const row = found.content === null ? await this.#import.complete(found, signal) : found;
    const { content, revision } = row;
    if (content === null || revision === null) throw new Error(`${row.id} has no content`);
    const parts = { row, content, revision, hubUrl: hub.url, allowlist };
    return buildManifest({ ...parts, peers: peers(row.id) });
  }

  /** Settings with a change of them; null takes all back. Throws 400 for wrong ones. */
  #settings(before: RunSettings | null, change: RunSettings | null | undefined) {
    return changedSettings(before, change, this.#options.argumentFault);
  }

  #refuseDuplicate(repo: string, filename: string | null): void {
    const id = hubModelId(repo, filename);
    directoryOf(id); // Refuses an id that cannot be a folder.
    const key = id.toLowerCase();
    const same = this.rows().find((row) => row.id.toLowerCase() === key);
    if (same !== undefined) throw duplicate(same.id);
  }

  #namesOf({ id }: RegisteredRow): readonly string[] {
    return this.resolve(id)?.names ?? [id];
  }

  /** A node may serve one of a model's quantizations under the name of that. */
  #isReady(row: RegisteredRow): boolean {
    const quantizations = new Set(row.content?.variants.flatMap((one) => one.quantization ?? []));
    const variants = [...quantizations].map((quantization) => `${row.id}:${quantization}`);
    return this.#options.isReady([...this.#namesOf(row), ...variants]);
  }
}

/** The reference in a request, its field `filename` included. Throws 400. */
function referenceOf(
  { repo, filename }: Pick<RegisterBody, "repo" | "filename">,
  hubUrl: string,
): Reference {
  const reference = parseReference(repo, hubUrl);
  if (filename === undefined || filename === null) return reference;
  const checked = checkFilename(filename);
  const other = reference.filename ?? checked;
  if (other === checked && reference.quantization === undefined) {
    return { ...reference, filename: checked };
  }
  const named = reference.quantization ?? other;
  const message = `The request is invalid: \`repo\` names ${named}, and \`filename\` ${checked}. \
Send one of them.`;
  throw new ApiError("invalid_request", message, { param: "filename" });
}
