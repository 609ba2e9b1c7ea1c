/** Lets the browser keep texts, one behind the other, as a file. */
export function download(name: string, texts: string[], type: string): void {
  const url = URL.createObjectURL(new Blob(texts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
