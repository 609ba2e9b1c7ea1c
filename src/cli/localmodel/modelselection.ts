import type { Settings } from "../../config/settings.ts";
import type { GgufMetadata } from "../../model/gguf.ts";
import type { FreeMemory } from "../../model/memory.ts";
import type { HubClient } from "../../registry/hubclient.ts";
import { findPullTarget } from "../../registry/pulltarget.ts";
import { checkFilename, parseReference, type Reference } from "../../registry/reference.ts";
import { type FileSelection, selectFiles } from "../../storage/fileselection.ts";
import type { Artifact, Manifest } from "../../wire/manifest.ts";
import { CliError } from "../process/exit.ts";

/** Which model a person names, on the command line. */
export interface ModelReference {
  /** `org/name`, `org/name:QUANT`, an address of the hub, or an `hf/…` id. */
  reference: string;
  /** One file of the repository. */
  filename?: string;
}

/** The files that a pull downloads. */
export interface ModelSelection extends FileSelection {
  manifest: Manifest;
}

interface SelectionOptions {
  model: ModelReference;
  settings: Pick<Settings, "hubUrl" | "originAllowlist" | "engineArgs">;
  hub: HubClient;
  /** The free memory of this host; called only where the choice depends on it. */
  free(): Promise<FreeMemory>;
  /** The metadata of a file; see `Puller.header`. */
  header(manifest: Manifest, artifact: Artifact): Promise<GgufMetadata | undefined>;
  signal: AbortSignal;
}

/**
 * Chooses the files of a repository to download; see `selectFiles`. Throws `CliError` or `ApiError`
 * with a list of what the repository has.
 */
export async function selectModel(options: SelectionOptions): Promise<ModelSelection> {
  const { settings, hub, signal, free, header } = options;
  const { originAllowlist: allowlist, engineArgs: args } = settings;
  const reference = parseModelReference(options.model, hub.url);
  const { manifest, request, notes } = await findPullTarget({ reference, hub, allowlist, signal });
  const read = (artifact: Artifact) => header(manifest, artifact);
  const selection = await selectFiles({ manifest, ...request, args, free, header: read });
  const { repo } = reference;
  const moved = manifest.repo === repo ? [] : [`${repo} is called ${manifest.repo} on the hub.`];
  return { manifest, ...selection, notes: [...selection.notes, ...notes, ...moved] };
}

function parseModelReference({ reference, filename }: ModelReference, hubUrl: string): Reference {
  const parsed = parseReference(reference, hubUrl);
  if (filename === undefined) return parsed;
  const checked = checkFilename(filename);
  const other = parsed.filename ?? checked;
  if (parsed.quantization === undefined && other === checked) {
    return { ...parsed, filename: checked };
  }
  const given = parsed.quantization ?? other;
  throw new CliError(`${reference} names ${given}, and --file ${checked}: name one of them.`);
}
