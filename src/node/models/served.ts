import { HUB_PREFIX } from "../../model/name.ts";
import { clearTags, isSameQuantization } from "../../model/quantization.ts";
import type { ModelRecord } from "../../storage/modelrecord.ts";
import type { StoredModel } from "../../storage/storedmodel.ts";
import type { RunSettings } from "../../wire/runsettings.ts";
import type { ServedModel } from "./catalog.ts";
import { modelFilesReader } from "./modelfiles.ts";
import { type NamedSettings, settingsFor, settledText, withSettings } from "./runsettings.ts";

/** A model in the models folder. */
export interface ScannedModel {
  /** In the quantization that its id stands for. */
  model: StoredModel;
  record: ModelRecord | undefined;
  /** The other quantizations in the same folder, which are served as `id:QUANT`. */
  otherQuantizations: StoredModel[];
  /** Further names of it. */
  aliases?: string[];
}

/** The names of a model in the registry. */
export interface RegisteredNames {
  id: string;
  /** Its aliases. */
  names: readonly string[];
  /** The quantizations that are listed as models of their own. */
  quantizations: readonly string[];
  /** How it runs. */
  settings?: RunSettings | null | undefined;
}

/** What the registry and config.json say of models. */
interface ModelKnowledge {
  registered: readonly RegisteredNames[];
  settings: NamedSettings;
}

/** A model with a fingerprint of its files and arguments: engines for another one must end. */
export interface FingerprintedModel {
  served: ServedModel;
  fingerprint: string;
}

/** Which engine can run which models. */
const RUNTIME = "llama_cpp";

/** A scanned model as it is served: one model for each quantization; none if no engine runs it. */
export function servedModelsOf(
  { model, record, otherQuantizations, aliases: more = [] }: ScannedModel,
  { registered, settings }: ModelKnowledge,
): FingerprintedModel[] {
  if (model.runtime !== RUNTIME) return [];
  const key = model.id.toLowerCase();
  const entry = registered.find((one) => one.id.toLowerCase() === key);
  const id = entry?.id ?? model.id;
  const { quantization } = model;
  const tags = [model, ...otherQuantizations].flatMap((one) => one.quantization ?? []);
  // The tag itself is first.
  const named = (tag: string) => clearTags(tag, tags).map((one) => `${id}:${one}`);
  const own = quantization === undefined ? [] : named(quantization);
  const folder = id === model.id ? [] : [model.id];
  const aliases = [
    ...own,
    ...folder,
    ...withoutPrefix([id, ...own]),
    ...(entry?.names ?? []),
    ...more,
  ];
  const listed = entry?.quantizations ?? [];
  const isListed = listed.some((one) => isSameQuantization(quantization, one));
  const listedAliases = isListed ? own.slice(0, 1) : [];
  const template = record?.chat_template;
  const args = template === undefined ? [] : ["--chat-template", template];
  const run = { settings, registered: entry?.settings ?? undefined };
  return [
    servedModel(model, { id, args, aliases, listedAliases }, run),
    ...otherQuantizations.map((other) => {
      const [name = id, ...more] = named(other.quantization ?? "");
      const aliases = [...more, ...withoutPrefix([name, ...more])];
      return servedModel(other, { id: name, args, aliases }, run);
    }),
  ];
}

/** Whether a name in lower case stands for this model: an id, with or without a quantization. */
export function isNamed({ id, aliases = [] }: ServedModel, key: string): boolean {
  const [base] = id.toLowerCase().split(":");
  return base === key || [id, ...aliases].some((name) => name.toLowerCase() === key);
}

function servedModel(
  { primary, projector, weights }: StoredModel,
  names: Omit<ServedModel, "locate">,
  { registered, settings }: { registered: RunSettings | undefined; settings: NamedSettings },
): FingerprintedModel {
  const files = [...weights, ...(projector === undefined ? [] : [projector])];
  const marks = files.map(({ path, sizeBytes, mtimeMs }) => `${path} ${sizeBytes} ${mtimeMs}`);
  const locate = modelFilesReader(primary.path, projector?.path);
  const model = withSettings({ ...names, locate }, registered, primary.path);
  const served = withSettings(model, settingsFor(model, settings), primary.path);
  return { served, fingerprint: [...marks, settledText(served)].join("\n") };
}

/** The names without `hf/`: requests may leave it out. */
function withoutPrefix(names: readonly string[]): string[] {
  const prefixed = names.filter((name) => name.startsWith(HUB_PREFIX));
  return prefixed.map((name) => name.slice(HUB_PREFIX.length));
}
