import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pkg from "../package.json" with { type: "json" };
import { makeDeb } from "../scripts/packages/debian.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";

setDefaultTimeout(120_000);

const VERSION = "1.2.3-rc.1";
const DATE = new Date("2026-05-04T10:00:00Z");
const hasDpkg = Bun.which("dpkg-deb") !== null;
const folder = temporaryHome();
const unpacked = join(folder.path, "unpacked");
let deb = "";

afterAll(() => folder[Symbol.dispose]());

function run(...argv: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin: "ignore" });
  return { code: exitCode, output: stdout.toString() + stderr.toString() };
}

/** A stand-in for the executable, as its contents are of no matter here. */
const PROGRAM = `#!/bin/sh\necho "llmlb ${VERSION} (stand-in)"\n`;

async function makePackage(arch: "amd64" | "arm64"): Promise<string> {
  const program = join(folder.path, "program");
  writeFileSync(program, PROGRAM);
  const options = { program, arch, version: VERSION, date: DATE };
  return makeDeb({ ...options, out: join(folder.path, "out") });
}

describe.if(hasDpkg)("the package for Debian", () => {
  beforeAll(async () => {
    deb = await makePackage("amd64");
    mkdirSync(unpacked);
    expect(run("dpkg-deb", "--raw-extract", deb, unpacked)).toEqual({ code: 0, output: "" });
  });

  test("has the program, a service, settings, a manual, completions and what dpkg asks for", () => {
    expect(deb).toEndWith(`/llmlb_${VERSION}_amd64.deb`);
    const { output } = run("dpkg-deb", "--contents", deb);
    const entries = output.trim().split("\n");
    expect(entries.every((line) => line.includes(" root/root "))).toBe(true);
    const files = entries.filter((line) => line.startsWith("-"));
    expect(files.map((line) => `${line.slice(0, 10)} ${line.split(" ./")[1]}`).sort()).toEqual([
      "-rw-r--r-- etc/llmlb/config.json",
      "-rw-r--r-- usr/lib/systemd/system/llmlb.service",
      "-rw-r--r-- usr/share/bash-completion/completions/llmlb",
      "-rw-r--r-- usr/share/doc/llmlb/changelog.gz",
      "-rw-r--r-- usr/share/doc/llmlb/copyright",
      "-rw-r--r-- usr/share/fish/vendor_completions.d/llmlb.fish",
      "-rw-r--r-- usr/share/llmlb/managed",
      "-rw-r--r-- usr/share/man/man1/llmlb.1.gz",
      "-rw-r--r-- usr/share/zsh/vendor-completions/_llmlb",
      "-rwxr-xr-x usr/bin/llmlb",
    ]);
    // A version before 1.2.3 is one before it for dpkg, too.
    expect(run("dpkg-deb", "--field", deb, "Version").output).toBe("1.2.3~rc.1\n");
    expect(run("dpkg-deb", "--field", deb, "Architecture").output).toBe("amd64\n");
    const man = Bun.gunzipSync(readFileSync(join(unpacked, "usr/share/man/man1/llmlb.1.gz")));
    expect(Buffer.from(man).toString()).toContain(`"2026-05-04" "llmlb ${VERSION}"`);
    const log = Bun.gunzipSync(readFileSync(join(unpacked, "usr/share/doc/llmlb/changelog.gz")));
    expect(Buffer.from(log).toString()).toStartWith("llmlb (1.2.3~rc.1) stable; ");
    const managed = readFileSync(join(unpacked, "usr/share/llmlb/managed"), "utf8");
    expect(managed).toBe(
      `sudo apt install ./FILE.deb, with the newest .deb of ${pkg.repository}/releases\n`,
    );
    const sums = run("sh", "-c", `cd ${unpacked} && md5sum -c --quiet DEBIAN/md5sums`);
    expect(sums).toEqual({ code: 0, output: "" });
  });

  test("is the same again, byte by byte", async () => {
    const before = readFileSync(deb);
    expect(readFileSync(await makePackage("amd64")).equals(before)).toBe(true);
    const other = await makePackage("arm64");
    expect(run("dpkg-deb", "--field", other, "Architecture").output).toBe("arm64\n");
  });

  test.if(Bun.which("shellcheck") !== null)("shellcheck has nothing to say", () => {
    const scripts = ["postinst", "prerm", "postrm"].map((name) => join(unpacked, "DEBIAN", name));
    expect(run("shellcheck", ...scripts)).toEqual({ code: 0, output: "" });
  });

  test("its settings are read by the program, and its service is the hardened one", async () => {
    const home = join(folder.path, "home");
    mkdirSync(home);
    const settings = readFileSync(join(unpacked, "etc/llmlb/config.json"), "utf8");
    writeFileSync(join(home, "config.json"), settings);
    expect((await runProgram(["config"], { home })).stderr).toBe("");
    // And what stands behind // is right as well.
    writeFileSync(join(home, "config.json"), settings.replaceAll('// "', '"'));
    const config = await runProgram(["config", "--json"], { home });
    expect(config).toMatchObject({ code: 0, stdout: expect.stringContaining("0.0.0.0") });

    const unit = readFileSync(join(unpacked, "usr/lib/systemd/system/llmlb.service"), "utf8");
    expect(unit).toContain("\nUser=llmlb\n");
    expect(unit).toContain("\nExecStart=/usr/bin/llmlb serve --home /var/lib/llmlb\n");
    expect(unit).toContain("\nProtectSystem=strict\n");
    const service = (...args: string[]) =>
      runProgram(["service", ...args, "--root", unpacked], { home });
    if (Bun.which("systemctl") === null) return;
    const status = await service("status");
    expect(status.stdout).toContain(`defined   ${unpacked}/usr/lib/systemd/system/llmlb.service`);
    expect(status.stdout).toContain("data      /var/lib/llmlb");
    expect((await service("install")).stderr).toContain("is the package's service");
    expect((await service("uninstall")).stderr).toContain("goes with its package");
  });

  test.if(canOverlay())("installs, is replaced, and is purged without a trace", () => {
    const script = join(import.meta.dir, "../src/testkit/packagewalk.sh");
    const { code, output } = run("unshare", "-m", "sh", script, deb);
    expect([code, output.split("\n").slice(-30).join("\n")]).toEqual([0, expect.any(String)]);
    expect(output).toContain("\nRuns as: uid=");
    expect(output).toContain(`\nSays: llmlb ${VERSION} (stand-in)\n`);
    expect(output).toContain("\nSettings: 640 root:llmlb\n");
    expect(output).toContain("\nEnabled: enabled\n");
    if (Bun.which("systemd-analyze") !== null) {
      expect(output).toContain("\nVerified: \n");
      expect(Number(/Exposed: .*?([\d.]+) /.exec(output)?.[1])).toBeLessThan(3);
    }
    expect(output).toContain("\nAltered: \n");
    expect(output).toContain("\nBy hand: kept\n");
    expect(output).toEndWith("\nTraces: \nFolders: \n");
  });
});

/** Whether this system can be had a second time, to be changed and forgotten. */
function canOverlay(): boolean {
  if (process.getuid?.() !== 0 || !hasDpkg || Bun.which("deb-systemd-helper") === null)
    return false;
  const place = join(folder.path, "probe");
  mkdirSync(place);
  const probe = `mount -t tmpfs none ${place} && cd ${place} && mkdir u w m && \
mount -t overlay overlay -o lowerdir=/,upperdir=u,workdir=w m`;
  return run("unshare", "-m", "sh", "-c", probe).code === 0 && readdirSync(place).length === 0;
}
