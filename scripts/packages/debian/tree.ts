import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import pkg from "../../../package.json" with { type: "json" };
import { SCRIPTS } from "../../../src/cli/completion/scripts.ts";
import { packageMarkOf, type ServicePlan } from "../../../src/cli/service/plan.ts";
import { systemdUnit } from "../../../src/cli/service/systemdunit.ts";
import { ROOT } from "../../native/sources.ts";

/** A file of the package; paths have no slash in front. */
export interface PackageFile {
  path: string;
  content: string | Uint8Array;
  /** Default: 0644. */
  mode?: number;
  /** It is the administrator's once it is there. */
  isConfig?: true;
}

export const PROGRAM_PATH = "usr/bin/llmlb";
const DOCS = "usr/share/doc/llmlb";
const HOME = "/var/lib/llmlb";
/** No repository of apt has the package: its releases do. */
const UPGRADE = `sudo apt install ./FILE.deb, with the newest .deb of ${pkg.repository}/releases`;

/** The service as `llmlb service install` would write it, for the user that the package makes. */
const PLAN: ServicePlan = {
  ...{ name: "llmlb", scope: "system", home: HOME, writable: [], readsHomes: false },
  command: [`/${PROGRAM_PATH}`, "serve", "--home", HOME],
  // The user is in the groups of this machine that may use GPUs: see postinst.
  ...{ runAs: "llmlb", groups: [], port: 32_768 },
  ...{ startMs: 660_000, stopMs: 50_000 },
};

/** All files of the package but the program and dpkg's own. */
export function packageFiles({ version, date }: { version: string; date: Date }): PackageFile[] {
  const day = date.toISOString().slice(0, 10);
  const manual = template("llmlb.1").replace("@DATE@", day).replace("@VERSION@", version);
  return [
    {
      path: "usr/lib/systemd/system/llmlb.service",
      content: systemdUnit(PLAN, packageMarkOf(HOME)),
    },
    { path: "etc/llmlb/config.json", content: template("settings.jsonc"), isConfig: true },
    // What says to `llmlb update` and `install.sh` who changes the program.
    { path: "usr/share/llmlb/managed", content: `${UPGRADE}\n` },
    { path: "usr/share/bash-completion/completions/llmlb", content: SCRIPTS.bash },
    { path: "usr/share/zsh/vendor-completions/_llmlb", content: SCRIPTS.zsh },
    { path: "usr/share/fish/vendor_completions.d/llmlb.fish", content: SCRIPTS.fish },
    { path: "usr/share/man/man1/llmlb.1.gz", content: gzipSync(manual, { level: 9 }) },
    { path: `${DOCS}/copyright`, content: readFileSync(join(ROOT, "LICENSE"), "utf8") },
    { path: `${DOCS}/changelog.gz`, content: gzipSync(changelog(version, date), { level: 9 }) },
  ];
}

function changelog(version: string, date: Date): string {
  const when = date.toUTCString().replace("GMT", "+0000");
  return `llmlb (${debianVersion(version)}) stable; urgency=medium

  * What has changed stands in CHANGELOG.md of the release.

 -- The llmlb authors <llmlb@users.noreply.github.com>  ${when}
`;
}

/** In Debian's order, what is not released yet stands behind a tilde: 1.0.0~rc.1 before 1.0.0. */
export function debianVersion(version: string): string {
  return version.replace("-", "~");
}

/** A file of this folder. */
export function template(name: string): string {
  return readFileSync(join(import.meta.dir, name), "utf8");
}
