import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { z } from "zod";
import pkg from "../../package.json" with { type: "json" };
import { VARIANTS } from "./files.ts";

const ROOT = join(import.meta.dir, "../..");
const FOLDER = join(ROOT, ".github/workflows");
const TARGETS = new Set(VARIANTS.map(({ target }) => target.name));

const Step = z.object({ uses: z.string().optional(), run: z.string().optional() }).loose();
const Job = z.object({
  "runs-on": z.string(),
  "timeout-minutes": z.number(),
  needs: z.union([z.string(), z.array(z.string())]).default([]),
  strategy: z
    .object({ matrix: z.object({ include: z.array(z.record(z.string(), z.string())) }) })
    .optional(),
  steps: z.array(Step).min(1),
});
const Workflow = z.object({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), Job),
});

const files = readdirSync(FOLDER);
const workflowOf = (file: string) =>
  Workflow.parse(YAML.parse(readFileSync(join(FOLDER, file), "utf8")));
const stepsOf = (file: string) =>
  Object.values(workflowOf(file).jobs).flatMap(({ steps }) => steps);
const textOf = (file: string) =>
  stepsOf(file)
    .map(({ run = "" }) => run)
    .join("\n");

test("there are a workflow for changes and one for releases", () => {
  expect(files.sort()).toEqual(["ci.yml", "release.yml"]);
});

describe.each(files)("%s", (file) => {
  test("names only commands of package.json and files that there are", () => {
    const text = textOf(file);
    const commands = [...text.matchAll(/\bnpm run (?:--silent )?([\w-]+)/g)].map(
      ([, name]) => name,
    );
    expect(commands).not.toBeEmpty();
    for (const name of commands) expect(Object.keys(pkg.scripts)).toContain(name ?? "");
    for (const [path] of text.matchAll(/(?:\.ci|scripts)\/[\w./-]+/g)) {
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
    }
  });

  test("asks for releases only what the command knows", () => {
    const source = readFileSync(join(ROOT, "scripts/release.ts"), "utf8");
    const known = [...source.matchAll(/case "(\w+)":/g)].map(([, name]) => name ?? "");
    for (const [, name] of textOf(file).matchAll(/run (?:--silent )?release -- ([a-z]\w*)/g)) {
      expect(known).toContain(name ?? "");
    }
  });

  test("waits only for jobs that there are, and none can run for ever", () => {
    const { jobs } = workflowOf(file);
    for (const [name, { needs, ...job }] of Object.entries(jobs)) {
      for (const other of [needs].flat())
        expect([name, Object.keys(jobs)]).toEqual([name, expect.arrayContaining([other])]);
      expect(job["timeout-minutes"]).toBeLessThanOrEqual(90);
    }
  });

  test("takes actions at a version, and may do no more than it has to", () => {
    for (const { uses } of stepsOf(file)) {
      if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
    }
    expect(workflowOf(file).permissions).toEqual({ contents: "read" });
  });
});

test("a release has each variant, and each target is built for every change", () => {
  const rows = (file: string, job: string) =>
    workflowOf(file).jobs[job]?.strategy?.matrix.include ?? [];
  const released = rows("release.yml", "executable").map(({ variant }) => variant);
  expect(released).toEqual(VARIANTS.map(({ name }) => name));
  const built = rows("ci.yml", "executable").map(({ target }) => target);
  expect(new Set(built)).toEqual(TARGETS as Set<string | undefined>);
});

test("what has to be set up for releases stands in the guide", () => {
  const text = readFileSync(join(FOLDER, "release.yml"), "utf8");
  const guide = readFileSync(join(ROOT, "docs/releasing.md"), "utf8");
  const names = [...text.matchAll(/(?:secrets|vars)\.(\w+)/g)].map(([, name]) => name ?? "");
  expect(names.sort()).toEqual(["LLMLB_RELEASE_KEY", "LLMLB_RELEASE_KEYS"]);
  for (const name of names) expect(guide).toContain(`\`${name}\``);
});
