import type { Content } from "../build/contents.ts";

/** What an executable consists of, as lines for a terminal; sizes in MB of 1,000,000 bytes. */
export function tableOf(contents: readonly Content[]): string {
  const total = contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rows = [
    ["", "MB", "unpacked"],
    ...contents.map(({ name, sizeBytes, unpackedBytes }) => {
      return [
        name,
        megabytes(sizeBytes),
        unpackedBytes === undefined ? "" : megabytes(unpackedBytes),
      ];
    }),
    ["all of it", megabytes(total), ""],
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  return rows
    .map(([name = "", size = "", unpacked = ""]) => {
      const line = `${name.padEnd(width)}  ${size.padStart(6)}  ${unpacked.padStart(8)}`;
      return `${line.trimEnd()}\n`;
    })
    .join("");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
