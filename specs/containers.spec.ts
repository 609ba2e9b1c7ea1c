import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { releaseFiles } from "../scripts/release/files.ts";
import { post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { parseExposition } from "../src/testkit/exposition.ts";
import { Program } from "../src/testkit/program.ts";
import { selectorsOf } from "../src/testkit/promql.ts";

setDefaultTimeout(60_000);

const FOLDER = join(import.meta.dir, "../scripts/packages/docker");
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");
const yaml = (name: string): unknown => Bun.YAML.parse(read(name));

let program: Program;
/** By its name, the labels that the series of a metric have. */
const metrics = new Map<string, Set<string>>();

beforeAll(async () => {
  program = await Program.start();
  const body = { model: TINY, messages: says("Goodbye"), stream: true };
  await (await post(`${program.url}/v1/chat/completions`, body)).text();
  await eventually(async () => {
    for (const url of [program.url, program.nodeUrl]) {
      const text = await (await fetch(`${url}/metrics`)).text();
      for (const [, name = "", type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
        const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
        for (const suffix of suffixes) metrics.set(name + suffix, metrics.get(name) ?? new Set());
      }
      for (const { name, labels } of parseExposition(text)) {
        for (const label of Object.keys(labels)) metrics.get(name)?.add(label);
      }
    }
    return metrics.get("llmlb_requests_total")?.has("status") || undefined;
  }, 20_000);
});
afterAll(() => program?.stop());

/** Prometheus adds these. */
const SCRAPED = ["instance", "job"];

/** What a query names that this llmlb does not tell. */
function unknownIn(query: string): string[] {
  const found = selectorsOf(query);
  expect([query, found.length > 0]).toEqual([query, true]);
  return found.flatMap(({ metric, labels }) => {
    if (metric === "up") return [];
    const own = metrics.get(metric);
    if (own === undefined) return [metric];
    if (own.size === 0) return []; // It has no series yet: its labels are not known.
    return labels
      .filter((label) => !own.has(label) && !SCRAPED.includes(label))
      .map((label) => `${metric}{${label}}`);
  });
}

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z
        .array(
          z.strictObject({
            alert: z.string().regex(/^Llmlb[A-Z]\w+$/),
            expr: z.string(),
            for: z
              .string()
              .regex(/^\d+[smh]$/)
              .optional(),
            labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
            annotations: z.strictObject({ summary: z.string(), description: z.string() }),
          }),
        )
        .min(5),
    }),
  ),
});

test("the alerts ask for what there is", () => {
  const rules = Rules.parse(yaml("alerts.yml")).groups.flatMap((group) => group.rules);
  expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  if (Bun.which("promtool") === null) return;
  for (const args of [
    ["rules", "alerts.yml"],
    ["config", "prometheus.yml"],
  ]) {
    const { exitCode, stderr } = Bun.spawnSync(["promtool", "check", ...args], { cwd: FOLDER });
    expect([exitCode, stderr.toString()]).toEqual([0, expect.any(String)]);
  }
});

const Panel = z.looseObject({
  id: z.int(),
  title: z.string(),
  type: z.enum(["row", "stat", "timeseries"]),
  gridPos: z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).optional(),
});
const Dashboard = z.looseObject({
  uid: z.literal("llmlb"),
  panels: z.array(Panel).min(10),
  templating: z.strictObject({
    list: z.array(z.looseObject({ name: z.string(), query: z.unknown() })),
  }),
});

test("the dashboard asks for what there is, and no panel covers another", () => {
  const { panels, templating } = Dashboard.parse(JSON.parse(read("grafana/llmlb.json")));
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  // Grafana puts its variables in before Prometheus sees the query.
  expect(queries.flatMap((query) => unknownIn(query.replaceAll("$instance", "a")))).toEqual([]);
  const names = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name);
  const known = templating.list.map(({ name }) => name);
  expect([...new Set(names)].sort()).toEqual(known.sort());
  expect(metrics.has("llmlb_build_info")).toBe(true); // What the list of instances is made of.

  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(24);
    return [...Array(w * h).keys()].map((i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
  });
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

const Dependencies = z.record(
  z.string(),
  z.strictObject({
    condition: z.enum(["service_started", "service_healthy", "service_completed_successfully"]),
    restart: z.boolean().optional(),
  }),
);
const Service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), args: z.record(z.string(), z.string()) }).optional(),
  restart: z.enum(["no", "always", "unless-stopped"]),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string().regex(/^\$\{LLMLB_BIND:-127\.0\.0\.1\}:\d+:\d+$/)).optional(),
  volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(:ro)?$/)).optional(),
  network_mode: z.string().optional(),
  pid: z.string().optional(),
  depends_on: Dependencies.optional(),
});
/** Of the Compose specification, what is used here: a word that it does not know is an error. */
const Compose = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
});

test("the compose file is one, and what it names is there", () => {
  const { services, volumes, ...rest } = Compose.parse(yaml("compose.yaml"));
  expect(Object.keys(rest).filter((key) => !key.startsWith("x-"))).toEqual(["name"]);
  const used = Object.values(services).flatMap((service) => service.volumes ?? []);
  const sources = used.map((text) => text.split(":")[0] ?? "");
  const files = sources.filter((source) => source.startsWith("."));
  expect(files.filter((file) => !existsSync(join(FOLDER, file)))).toEqual([]);
  const named = sources.filter((source) => !source.startsWith("."));
  expect([...new Set(named)].sort()).toEqual(Object.keys(volumes).sort());
  for (const service of Object.values(services)) {
    const others = [service.network_mode, service.pid].flatMap((mode) => mode?.split(":")[1] ?? []);
    const needed = [...Object.keys(service.depends_on ?? {}), ...others];
    expect(needed.filter((name) => services[name] === undefined)).toEqual([]);
    // What is ours has no more rights than it needs.
    if (service.build === undefined) continue;
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], tmpfs: ["/tmp"] });
  }
});

test("the image is made of files of a release, and is nobody's in particular", () => {
  const lines = read("Dockerfile").replaceAll("\\\n", " ").split("\n");
  const steps = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const known =
    /^(FROM|ARG|ADD|COPY|RUN|ENV|USER|WORKDIR|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD) /;
  expect(steps.filter((line) => !known.test(line))).toEqual([]);
  const added = steps.filter((line) => line.startsWith("ADD "));
  const { executables, sums } = releaseFiles("VERSION");
  const names = added.map((line) => /\$\{RELEASE\}\/(\S+) /.exec(line)?.[1] ?? line);
  expect(
    names
      .map((name) =>
        name.replaceAll(/\$\{(\w+)\}/g, (_, variable) => {
          return variable === "VARIANT" ? "-cuda" : variable;
        }),
      )
      .sort(),
  ).toEqual([sums, executables["linux-x64-cuda"], executables["linux-arm64"]].sort());
  expect(steps).toContain("USER 10001:10001");
  expect(steps.some((line) => line.endsWith('CMD ["llmlb", "status"]'))).toBe(true);
});
