/** One line of Prometheus' text format. */
export interface Line {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Reads the text format strictly. Throws at the first line that breaks its grammar. */
export function parseExposition(text: string): Line[] {
  if (!text.endsWith("\n")) throw new Error("the last line is not ended");
  const types = new Map<string, string>();
  const lines: Line[] = [];
  for (const row of text.split("\n")) {
    if (row === "" || row.startsWith("# HELP ")) continue;
    const [, typed = "", type = ""] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(row) ?? [];
    if (typed !== "") {
      if (types.has(typed)) throw new Error(`${typed} comes twice`);
      types.set(typed, type);
      continue;
    }
    const [, name = "", labels = "", value = ""] = LINE.exec(row) ?? [];
    const base = name.replace(/_(bucket|sum|count)$/, "");
    if (name === "" || !(types.has(name) || types.get(base) === "histogram")) {
      throw new Error(`no metric: ${row}`);
    }
    if (Number.isNaN(Number(value))) throw new Error(`no number: ${row}`);
    lines.push({ name, labels: parseLabels(labels), value: Number(value) });
  }
  const keys = lines.map(({ name, labels }) => JSON.stringify([name, labels]));
  if (new Set(keys).size !== keys.length) throw new Error("a series comes twice");
  return lines;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let read = 0;
  while (read < text.length) {
    const [all = "", name = "", value = ""] = LABEL.exec(text) ?? [];
    if (all === "") throw new Error(`no label: ${text.slice(read)}`);
    labels[name] = value.replace(/\\(.)/g, (_, char) => (char === "n" ? "\n" : char));
    read += all.length;
  }
  return labels;
}
