import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { envName } from "../src/config/fields/field.ts";
import { FIELD_KEYS, fieldOf } from "../src/config/fields.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";

setDefaultTimeout(60_000);

const FOLDER = join(import.meta.dir, "../scripts/packages/kubernetes");
/** Kustomize is in kubectl, and needs no cluster for this. */
const hasKubectl =
  Bun.which("kubectl") !== null && Bun.spawnSync(["kubectl", "kustomize", "--help"]).success;

const Labels = z.record(z.string(), z.string());
const Probe = z.strictObject({
  httpGet: z.strictObject({ path: z.enum(["/health", "/ready"]), port: z.literal("http") }),
  periodSeconds: z.int(),
  failureThreshold: z.int().optional(),
  timeoutSeconds: z.int().optional(),
});
const Variable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.unknown().optional(),
});
/** The restricted standard for pods. */
const Restricted = z.looseObject({
  allowPrivilegeEscalation: z.literal(false),
  readOnlyRootFilesystem: z.literal(true),
  capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
});
const Container = z.strictObject({
  name: z.literal("llmlb"),
  image: z.string().regex(/:latest$/),
  args: z.array(z.string()),
  env: z.array(Variable),
  ports: z.array(z.strictObject({ name: z.literal("http"), containerPort: z.int() })),
  startupProbe: Probe,
  livenessProbe: Probe,
  readinessProbe: Probe,
  resources: z.strictObject({ requests: Labels, limits: Labels }),
  securityContext: Restricted,
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })),
});
const Pod = z.looseObject({
  // Otherwise the cluster sets LLMLB_PORT to the address of the service.
  enableServiceLinks: z.literal(false),
  automountServiceAccountToken: z.literal(false),
  securityContext: z.looseObject({ seccompProfile: z.unknown() }),
  containers: z.tuple([Container]),
  volumes: z.array(z.looseObject({ name: z.string() })),
});
const Workload = z.looseObject({
  kind: z.enum(["StatefulSet", "DaemonSet"]),
  metadata: z.looseObject({ name: z.string(), namespace: z.literal("llmlb") }),
  spec: z.looseObject({
    selector: z.strictObject({ matchLabels: Labels }),
    template: z.looseObject({ metadata: z.looseObject({ labels: Labels }), spec: Pod }),
    volumeClaimTemplates: z
      .array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) }))
      .optional(),
  }),
});
const Resource = z.looseObject({ kind: z.string(), spec: z.unknown() });

/** What would be applied to a cluster. */
function rendered(folder: string): z.infer<typeof Resource>[] {
  const { stdout, stderr, success } = Bun.spawnSync(["kubectl", "kustomize", folder]);
  expect([success, stderr.toString()]).toEqual([true, ""]);
  const texts = stdout.toString().split(/^---$/m);
  return texts.map((text) => Resource.parse(Bun.YAML.parse(text)));
}

function workloads(resources: z.infer<typeof Resource>[]): z.infer<typeof Workload>[] {
  return resources
    .filter(({ kind }) => kind === "StatefulSet" || kind === "DaemonSet")
    .map((one) => Workload.parse(one));
}

describe.if(hasKubectl)("the manifests for Kubernetes", () => {
  test("are a balancer and nodes without needless rights, each with probes and a disk", () => {
    const resources = rendered(FOLDER);
    const kinds = resources.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(["DaemonSet", "Service", "StatefulSet"]);
    for (const { spec } of workloads(resources)) {
      const { template, selector, volumeClaimTemplates = [] } = spec;
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
      const { containers, volumes } = template.spec;
      const [{ volumeMounts }] = containers;
      const there = [...volumes, ...volumeClaimTemplates.map(({ metadata }) => metadata)];
      expect(there.map(({ name }) => name).sort()).toEqual(["data", "tmp"]);
      expect(volumeMounts.map(({ mountPath }) => mountPath)).toEqual(["/var/lib/llmlb", "/tmp"]);
    }
    const service = resources.find(({ kind }) => kind === "Service");
    const balancer = workloads(resources).find(({ kind }) => kind === "StatefulSet");
    expect(service?.spec).toMatchObject({
      ports: [{ port: 32_768 }],
      selector: balancer?.spec.selector.matchLabels ?? {},
    });
  });

  test("start llmlb with settings that there are", async () => {
    using folder = temporaryHome();
    const names = FIELD_KEYS.map((key) => envName(fieldOf(key)));
    for (const { spec } of workloads(rendered(FOLDER))) {
      const [{ args, env, ports }] = spec.template.spec.containers;
      expect(env.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([]);
      // With what the image sets; the configuration is only shown.
      const given = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
      const [mode = "", ...flags] = args;
      const join = flags.filter((_, i) => flags[i - 1] === "--join");
      const { code, stdout, stderr } = await runProgram(["config", "--json"], {
        home: folder.path,
        env: {
          ...{ LLMLB_HOST: "0.0.0.0", LLMLB_MODE: mode, ...Object.fromEntries(given) },
          ...(join[0] === undefined ? {} : { LLMLB_JOIN: join[0] }),
        },
      });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`${ports[0]?.containerPort}`);
      if (mode === "node") expect(stdout).toContain("http://llmlb:32768");
    }
  });

  test("take an Ingress and a ServiceMonitor as well", () => {
    using folder = temporaryHome();
    cpSync(FOLDER, folder.path, { recursive: true });
    const file = join(folder.path, "kustomization.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("# components", "components"));
    const resources = rendered(folder.path);
    const [ingress, monitor] = ["Ingress", "ServiceMonitor"].map((kind) => {
      return resources.find((one) => one.kind === kind);
    });
    expect(JSON.stringify(ingress?.spec)).toContain('"host":"llm.example"');
    const balancer = workloads(resources).find(({ kind }) => kind === "StatefulSet");
    const [{ env } = { env: [] }] = balancer?.spec.template.spec.containers ?? [];
    expect(env[0]).toMatchObject({ name: "LLMLB_ALLOWED_HOSTS" });
    expect(env[0]?.value).toStartWith("llm.example,llmlb,");
    expect(monitor?.spec).toMatchObject({ selector: balancer?.spec.selector ?? {} });
  });
});
