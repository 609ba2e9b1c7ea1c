import { expect, test } from "bun:test";
import lockFile from "../../package-lock.json" with { type: "json" };
import { packagesOf } from "./lockpackages.ts";
import { type SbomSources, sbomOf } from "./sbom.ts";

const HASH = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
const LOCK = {
  packages: {
    "": { version: "0.2.0", dependencies: { hono: "1.0.0", "@a/b": "2.0.0" } },
    "node_modules/hono": { version: "1.0.0", license: "MIT", integrity: HASH },
    "node_modules/@a/b": { version: "2.0.0", dependencies: { hono: "0.9.0", both: "1.0.0" } },
    "node_modules/@a/b/node_modules/hono": { version: "0.9.0", license: "MIT OR Apache-2.0" },
    "node_modules/both": { version: "1.0.0" },
    "node_modules/bun": { version: "1.4.5", dev: true },
    "node_modules/@oven/bun-linux-x64": { version: "1.4.5", dev: true },
  },
};

test("a package uses the nearest of its name, and what is for development is left out", () => {
  const uses = [...packagesOf(LOCK)].map(([place, found]) => [place, found.name, found.uses]);
  expect(uses).toEqual([
    ["", "", ["node_modules/hono", "node_modules/@a/b"]],
    ["node_modules/hono", "hono", []],
    ["node_modules/@a/b", "@a/b", ["node_modules/@a/b/node_modules/hono", "node_modules/both"]],
    ["node_modules/@a/b/node_modules/hono", "hono", []],
    ["node_modules/both", "both", []],
  ]);
});

const SOURCES: SbomSources = {
  version: "0.2.0",
  date: new Date("2026-11-26T00:00:00Z"),
  lock: LOCK,
  sources: { llama_cpp: "v9", node_llama_cpp: "3.0.0", packages: { "@n/linux-x64": HASH } },
  plugins: {
    version: "3.0.0",
    "linux-x64": { cuda: { package: "@n/linux-x64-cuda", archive: { integrity: HASH } } },
  },
  repository: "https://example.org/llmlb",
  executables: [{ name: "llmlb-0.2.0-linux-x64", sha256: "ab".repeat(32) }],
};

interface Sbom {
  serialNumber: string;
  metadata: { component: { components: { name: string; hashes: { content: string }[] }[] } };
  components: { purl: string; licenses?: unknown; "bom-ref": string }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

test("an SBOM names packages, runtimes and native parts, with what uses what", async () => {
  const sbom: Sbom = JSON.parse(await sbomOf(SOURCES));
  expect(sbom.serialNumber).toMatch(/^urn:uuid:/);
  const [executable] = sbom.metadata.component.components;
  expect(executable).toMatchObject({ hashes: [{ content: "ab".repeat(32) }] });
  const urls = sbom.components.map(({ purl }) => purl);
  for (const purl of [
    "pkg:npm/hono@1.0.0",
    "pkg:npm/hono@0.9.0",
    "pkg:npm/%40a/b@2.0.0",
    "pkg:npm/%40oven/bun-linux-x64@1.4.5",
    "pkg:github/ggml-org/llama.cpp@v9",
    "pkg:npm/%40n/linux-x64@3.0.0",
    "pkg:npm/%40n/linux-x64-cuda@3.0.0",
  ]) {
    expect(urls).toContain(purl);
  }
  expect(urls).not.toContain("pkg:npm/bun@1.4.5");
  const used = sbom.dependencies.find(({ ref }) => ref === "pkg:npm/%40a/b@2.0.0");
  expect(used?.dependsOn).toEqual(["pkg:npm/both@1.0.0", "pkg:npm/hono@0.9.0"]);
  const either = sbom.components.find(({ purl }) => purl === "pkg:npm/hono@0.9.0");
  expect(either?.licenses).toEqual([{ expression: "MIT OR Apache-2.0" }]);
});

test("the SBOM of this version has every package of the program", async () => {
  const sbom: Sbom = JSON.parse(await sbomOf({ ...SOURCES, lock: lockFile }));
  const urls = new Set(sbom.components.map(({ purl }) => purl));
  for (const { name, version } of packagesOf(lockFile).values()) {
    if (name === "") continue;
    expect(urls).toContain(`pkg:npm/${name.replace("@", "%40")}@${version}`);
  }
});
