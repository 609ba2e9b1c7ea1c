/** The native libraries inside the compiled executable. */
export interface EmbeddedLibraries {
  /** Hash of all files' bytes; the name of the folder that they are copied to. */
  hash: string;
  files: {
    /** Name that the library must have on disk. */
    name: string;
    /** Its path inside the executable. */
    path: string;
    sizeBytes: number;
  }[];
}

/**
 * The libraries inside this executable; undefined when run from source. In builds,
 * `scripts/build.ts` replaces this module, see `scripts/build/embed.ts`.
 */
export function embeddedLibraries(): EmbeddedLibraries | undefined {
  return undefined;
}
