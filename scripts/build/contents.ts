import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { EmbeddedFile, EmbeddedFiles } from "./embed.ts";

/** A part of an executable. */
export interface Content {
  name: string;
  /** What it takes in the executable. */
  sizeBytes: number;
  /** Its size once it is unpacked, where it is compressed. */
  unpackedBytes?: number;
}

export interface ContentSources {
  /** Size of the whole executable. */
  sizeBytes: number;
  /** Size of the Bun that it is built upon. */
  runtimeBytes: number;
  /** Size of all JavaScript in it, as text. */
  scriptBytes: number;
  libraries: EmbeddedFiles;
  /** The other files inside: those that are imported as files. */
  files: { path: string; sizeBytes: number }[];
}

/**
 * What an executable consists of, the largest part first. What is left when all that is known was
 * taken away is the compiled form of the scripts, with their source map where it has one.
 */
export function contentsOf(sources: ContentSources): Content[] {
  const { sizeBytes, runtimeBytes, scriptBytes, libraries, files } = sources;
  const known: Content[] = [
    { name: "Bun", sizeBytes: runtimeBytes },
    { name: "JavaScript", sizeBytes: scriptBytes },
    ...libraries.own.map(sizesOf),
    ...libraries.plugins.map(sizesOf),
    ...files.map((file) => ({ name: fileName(file.path), sizeBytes: file.sizeBytes })),
  ];
  const rest = sizeBytes - known.reduce((sum, content) => sum + content.sizeBytes, 0);
  const all = [...known, { name: "JavaScript, compiled ahead", sizeBytes: rest }];
  return all.sort((a, b) => b.sizeBytes - a.sizeBytes);
}

function sizesOf({ name, path, sizeBytes }: EmbeddedFile): Content {
  return { name, sizeBytes: Bun.file(path).size, unpackedBytes: sizeBytes };
}

function fileName(path: string): string {
  if (path.endsWith("dashboard.bundle")) return "dashboard";
  if (path.endsWith(".gguf")) return `model ${basename(path)}`;
  return basename(path);
}

/** The files that a bundle imports as files, with their sizes. */
export async function importedFiles(
  inputs: Record<string, { bytes: number }>,
  root: string,
): Promise<ContentSources["files"]> {
  const paths = Object.keys(inputs).filter((path) => /\.(gguf|bundle)$/.test(path));
  return await Promise.all(
    paths.map(async (path) => ({ path, sizeBytes: (await stat(`${root}/${path}`)).size })),
  );
}
