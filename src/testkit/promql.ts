import { parser } from "@prometheus-io/lezer-promql";

/** A series that a query selects. */
export interface Selector {
  metric: string;
  /** The names of labels that it is matched by. */
  labels: string[];
}

/** What a query in Prometheus' language selects. Throws where it is none. */
export function selectorsOf(query: string): Selector[] {
  const selectors: Selector[] = [];
  const text = (from: number, to: number) => query.slice(from, to);
  parser.parse(query).iterate({
    enter({ name, from, to, node, type }) {
      if (type.isError) throw new Error(`no PromQL: ${query} (at ${text(from, to + 10)})`);
      if (name === "VectorSelector") {
        const metric = node.getChild("Identifier");
        const matchers = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
        selectors.push({
          metric: metric === null ? "" : text(metric.from, metric.to),
          labels: matchers.flatMap((matcher) => {
            const label = matcher.getChild("LabelName");
            return label === null ? [] : [text(label.from, label.to)];
          }),
        });
      }
    },
  });
  return selectors;
}
