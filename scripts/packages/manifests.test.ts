import { expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import pkg from "../../package.json" with { type: "json" };
import { releaseFiles } from "../release/files.ts";
import { fillTemplates, packageTemplates } from "./manifests.ts";

const VERSION = "1.2.3";
const files = Object.values(releaseFiles(VERSION).executables);
const sumOf = (name: string) => new Bun.CryptoHasher("sha256").update(name).digest("hex");
const sums = files.map((name) => `${sumOf(name)}  ${name}\n`).join("");
const options = { version: VERSION, sums, date: new Date("2026-05-04T10:00:00Z") };
const read = (name: string) => Bun.file(join(import.meta.dir, name)).text();
const filled = () => fillTemplates(packageTemplates(), options);

const HTTPS = z.url({ protocol: /^https$/ });
const HEAD = {
  PackageIdentifier: z.string().regex(/^[^.\s\\/:*?"<>|]{1,32}(\.[^.\s\\/:*?"<>|]{1,32}){1,7}$/),
  PackageVersion: z.literal(VERSION),
  ManifestVersion: z.literal("1.10.0"),
};

/** winget's schemas 1.10: the fields that there may be of those that we have. */
const WINGET: Record<string, z.ZodType> = {
  "winget/llmlb.llmlb.yaml": z.strictObject({
    ...HEAD,
    DefaultLocale: z.literal("en-US"),
    ManifestType: z.literal("version"),
  }),
  "winget/llmlb.llmlb.installer.yaml": z.strictObject({
    ...HEAD,
    InstallerType: z.literal("portable"),
    Commands: z.array(z.string().max(40)).max(16),
    ReleaseDate: z.iso.date(),
    Installers: z
      .array(
        z.strictObject({
          Architecture: z.enum(["x86", "x64", "arm", "arm64", "neutral"]),
          InstallerUrl: HTTPS,
          InstallerSha256: z.string().regex(/^[A-F0-9]{64}$/),
        }),
      )
      .min(1),
    ManifestType: z.literal("installer"),
  }),
  "winget/llmlb.llmlb.locale.en-US.yaml": z.strictObject({
    ...HEAD,
    PackageLocale: z.literal("en-US"),
    Publisher: z.string().min(2).max(256),
    PublisherUrl: HTTPS,
    PackageName: z.string().min(2).max(256),
    PackageUrl: HTTPS,
    License: z.string().min(3).max(512),
    LicenseUrl: HTTPS,
    ShortDescription: z.string().min(3).max(256),
    Moniker: z.string().max(40),
    Tags: z.array(z.string().max(40)).max(16),
    ReleaseNotesUrl: HTTPS,
    ManifestType: z.literal("defaultLocale"),
  }),
};

test("winget's manifests hold what its schemas allow, and the sum of the executable", () => {
  const manifests = filled();
  for (const [path, schema] of Object.entries(WINGET)) {
    const manifest = Bun.YAML.parse(manifests[path] ?? "") as Record<string, unknown>;
    expect(schema.safeParse(manifest).error?.issues ?? []).toEqual([]);
  }
  expect(
    Object.keys(manifests)
      .filter((path) => path.startsWith("winget/"))
      .sort(),
  ).toEqual(Object.keys(WINGET).sort());
  const installer = manifests["winget/llmlb.llmlb.installer.yaml"];
  const name = releaseFiles(VERSION).executables["windows-x64"];
  expect(installer).toContain(`InstallerSha256: ${sumOf(name).toUpperCase()}`);
  expect(installer).toContain(`/releases/download/v${VERSION}/${name}\n`);
});

test("Homebrew's formula has the address and the sum of each platform", async () => {
  const formula = filled()["homebrew/llmlb.rb"] ?? "";
  const { executables } = releaseFiles(VERSION);
  for (const variant of ["darwin-arm64", "linux-x64", "linux-arm64"] as const) {
    const name = executables[variant];
    expect(formula).toContain(`/v${VERSION}/${name}", using: :nounzip
      sha256 "${sumOf(name)}"`);
  }
  if (Bun.which("ruby") === null) return;
  const child = Bun.spawn(["ruby", "-c"], { stdin: new Blob([formula]), stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("Syntax OK\n");
});

test("every way to install leads to the public home", async () => {
  const { repository } = pkg;
  const texts = { ...packageTemplates(), installer: await read("install.sh") };
  const own = {
    ...texts,
    image: await read("docker/Dockerfile"),
    manual: await read("debian/llmlb.1"),
  };
  for (const [name, text] of Object.entries(own)) {
    const homes = [...text.matchAll(/https:\/\/github\.com\/[\w-]+(?:\/[\w-]+)?/g)].map(String);
    const others = homes.filter(
      (home) => home !== repository && !repository.startsWith(`${home}/`),
    );
    expect([name, others]).toEqual([name, []]);
  }
});

test("what is missing is told instead of being left out", () => {
  const without = { ...options, sums: sums.replace(/.*windows.*\n/, "") };
  expect(() => fillTemplates(packageTemplates(), without)).toThrow(
    "winget/llmlb.llmlb.installer.yaml: there is no $WINDOWS_X64_SHA256",
  );
});
