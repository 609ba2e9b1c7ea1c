/** JSON with line ends and indentation; undefined for what is no JSON. */
export function indentedJson(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return undefined;
  }
}
