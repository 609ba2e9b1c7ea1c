import pkg from "../../../package.json" with { type: "json" };
import { debianVersion, type PackageFile, template } from "./tree.ts";

interface ControlOptions {
  version: string;
  arch: string;
  /** What the installed files take. */
  sizeKb: number;
  /** Lines of `md5sums`. */
  md5: string;
}

/**
 * What dpkg itself is to know of the package: `control`, its scripts, sums and files of settings.
 * The versions of libraries are what llama.cpp's and ours were linked with (Ubuntu 22.04).
 */
export function controlFiles({ version, arch, sizeKb, md5 }: ControlOptions): PackageFile[] {
  const control = `Package: llmlb
Version: ${debianVersion(version)}
Architecture: ${arch}
Maintainer: The llmlb authors <llmlb@users.noreply.github.com>
Installed-Size: ${sizeKb}
Depends: libc6 (>= 2.34), libstdc++6 (>= 12), libgcc-s1, adduser
Recommends: ca-certificates
Suggests: libvulkan1, mesa-vulkan-drivers
Section: net
Priority: optional
Homepage: ${pkg.repository}
Description: one OpenAI-compatible address in front of all inference endpoints
 Balances requests for language models over any number of servers, and runs
 models itself with llama.cpp, on CPUs and on GPUs by Vulkan. Speaks the APIs of
 OpenAI, Anthropic and Ollama, and has a dashboard.
 .
 The service runs as a user of its own and listens on this machine only, until
 /etc/llmlb/config.json says otherwise.
`;
  const scripts = ["postinst", "prerm", "postrm"].map((path) => {
    return { path, content: template(path), mode: 0o755 };
  });
  return [
    { path: "control", content: control },
    { path: "conffiles", content: "/etc/llmlb/config.json\n" },
    { path: "md5sums", content: md5 },
    ...scripts,
  ];
}
