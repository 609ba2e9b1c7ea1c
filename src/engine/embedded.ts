/** The native libraries inside the compiled executable. */
export interface EmbeddedLibraries {
  /** Names these very bytes; a good name for the folder that they are copied to. */
  hash: string;
  files: {
    /** Name that the library must have on disk. */
    name: string;
    /** Where it is read from, inside the executable. */
    path: string;
    sizeBytes: number;
  }[];
}

/**
 * The libraries that this executable carries; undefined when run from source.
 * `scripts/build.ts` puts another module in the place of this one, see `scripts/build/embed.ts`.
 */
export function embeddedLibraries(): EmbeddedLibraries | undefined {
  return undefined;
}
