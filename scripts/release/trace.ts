import { SourceMap } from "node:module";

/** A place in the scripts of an executable, as stack traces have it. */
const PLACE = /(?:\/\$bunfs|[A-Z]:\/~BUN)\/root\/[^\s():]+:(\d+):(\d+)/g;

/** Text with stack traces of an executable, with the places in the source that its map tells. */
export function tracedText(text: string, map: string): string {
  const places = new SourceMap(JSON.parse(map));
  return text.replace(PLACE, (place, line: string, column: string) => {
    const found = places.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in found) || found.originalSource === undefined) return place;
    const { originalSource, originalLine, originalColumn } = found;
    return `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
  });
}
