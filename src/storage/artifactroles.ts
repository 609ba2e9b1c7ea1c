import { isGguf } from "../model/filename.ts";
import type { GgufMetadata } from "../model/gguf.ts";
import { type GgufRole, ggufRole, ggufRoleIn, ROLE_WORDS } from "../model/ggufrole.ts";
import { untaggedStem } from "../model/quantization.ts";
import { firstPartOf } from "../model/splitfile.ts";
import type { Artifact } from "../wire/manifest.ts";
import { candidatesOf, type WeightsCandidate } from "./candidate.ts";

/** Reads the header of a GGUF file; undefined if it cannot be read. */
export type HeaderReader = (artifact: Artifact) => Promise<GgufMetadata | undefined>;

/** At most so many headers are read to find out what files are. */
const HEADERS_MAX = 4;
/** Companions are in high precisions, or their names tell none. */
const PRECISE = /^(?:B?F\d+|FP\d+|Q8_0)$/i;

/**
 * What GGUF files are for, by path: as their names say, and as their headers say where names leave
 * it open.
 */
export class ArtifactRoles {
  readonly #read = new Map<string, GgufRole>();

  /** What a file, or the split file that it is part of, is for. */
  of(path: string): GgufRole {
    return this.#read.get(firstPartOf(path)) ?? ggufRole(path);
  }

  /** What a file is for by its header, which is read once and goes before the name from then on. */
  async read(artifact: Artifact, header: HeaderReader): Promise<GgufRole> {
    const key = firstPartOf(artifact.filename);
    const role = this.#read.get(key) ?? ggufRoleIn(key, await header(artifact));
    this.#read.set(key, role);
    return role;
  }

  /**
   * Reads the headers of those files that may be something else than their names say:
   *
   * 1. where no name is that of a model, of all that may be one;
   * 2. else of weights that are not called as most are, if they are such as companions are.
   */
  async readDoubtful(artifacts: Artifact[], header: HeaderReader): Promise<void> {
    const candidates = candidatesOf(artifacts, this);
    const doubtful = candidates.length === 0 ? this.#companions(artifacts) : strangers(candidates);
    for (const artifact of doubtful.slice(0, HEADERS_MAX)) {
      const role = await this.read(artifact, header);
      // A drafter that is named, or alone, is meant.
      const isMeant = role === "drafter" && candidates.length === 0 && doubtful.length === 1;
      if (isMeant) this.#read.set(firstPartOf(artifact.filename), "model");
    }
  }

  /** Which files are left out because of their headers, each with what it is. */
  get leftOut(): string[] {
    const companions = [...this.#read].filter(([, role]) => !USED.has(role));
    return companions.map(([path, role]) => `${path} is left out: it is ${ROLE_WORDS[role]}.`);
  }

  #companions(artifacts: Artifact[]): Artifact[] {
    return artifacts.filter(({ filename }) => {
      const isFirst = firstPartOf(filename) === filename;
      return isGguf(filename) && isFirst && this.of(filename) !== "projector";
    });
  }
}

const USED: ReadonlySet<GgufRole> = new Set<GgufRole>(["model", "projector"]);

/** The first files of weights that are not called as most are, the smallest first. */
function strangers(candidates: WeightsCandidate[]): Artifact[] {
  const groups = [...Map.groupBy(candidates, ({ stem }) => untaggedStem(stem)).values()];
  const [, ...others] = groups.toSorted((a, b) => b.length - a.length || bytesOf(b) - bytesOf(a));
  const doubtful = others.flat().filter(({ quantization }) => {
    return quantization === null || PRECISE.test(quantization);
  });
  doubtful.sort((a, b) => (a.sizeBytes ?? 0) - (b.sizeBytes ?? 0));
  return doubtful.flatMap(({ artifacts }) => artifacts.slice(0, 1));
}

function bytesOf(candidates: WeightsCandidate[]): number {
  return Math.max(...candidates.map(({ sizeBytes }) => sizeBytes ?? 0));
}
