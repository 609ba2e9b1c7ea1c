/** A file of a release, with what identifies it. */
export interface FileSum {
  name: string;
  /** In hexadecimal digits. */
  sha256: string;
}

/** The sums of files as `sha256sum` writes and checks them, in the order of their names. */
export function sumsText(files: readonly FileSum[]): string {
  const order = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  return order.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
}
