import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { markOf } from "../src/cli/service/plan.ts";
import { runResultOf, temporaryHome } from "../src/testkit/command.ts";
import { FileServer, sha256 } from "../src/testkit/servers/files.ts";

setDefaultTimeout(60_000);

const SCRIPT = readFileSync(join(import.meta.dir, "../scripts/packages/install.sh"), "utf8");
const isUnix = process.platform !== "win32";
const isRoot = process.getuid?.() === 0;
const has = (program: string) => Bun.which(program) !== null;
const canMount = isRoot && has("unshare") && mayMount();

function mayMount(): boolean {
  const argv = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"];
  return Bun.spawnSync(argv, { stdio: ["ignore", "ignore", "ignore"] }).success;
}

/** What the script is read by on Linux distributions. */
const SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]].filter(([shell = ""]) =>
  has(shell),
);

/** A program in llmlb's place: it tells its version, and notes how it was called. */
function standIn(version: string): string {
  return `#!/bin/sh
[ -z "$HOME" ] || echo "$*" >> "$HOME/calls"
case "$1" in
--version) echo "llmlb ${version} (Bun 1, llama.cpp 1)" ;;
completion) echo "# completion for $2" ;;
stop) echo "Stopped llmlb" ;;
esac
`;
}

let server: FileServer;
const folder = temporaryHome();
beforeAll(async () => {
  server = await FileServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});
afterEach(() => {
  server.files.clear();
  server.seen.length = 0;
  server.treat = () => ({});
});

/** Puts a release onto the server: the files by name, and their sums. */
function release(files: Record<string, string>): void {
  const lines = Object.entries(files).map(([name, text]) => {
    server.files.set(`/${name}`, Buffer.from(text));
    return `${sha256(Buffer.from(text))}  ${name}\n`;
  });
  server.files.set("/SHA256SUMS", Buffer.from(lines.join("")));
}

function plainRelease(version: string): void {
  release({
    [`llmlb-${version}-linux-x64`]: standIn(version),
    [`llmlb-${version}-linux-x64-cuda`]: `${standIn(version)}# cuda\n`,
    [`llmlb-${version}-linux-arm64`]: "#!/bin/sh\nexit 9\n",
  });
}

let count = 0;

/** A user's home on a Linux machine with an x86-64 processor, whatever this one is. */
function machine({ uname = "Linux x86_64", libraries = "" } = {}) {
  const home = join(folder.path, `m${count++}`);
  const tools = join(home, "tools");
  mkdirSync(tools, { recursive: true });
  const [system, processor] = uname.split(" ");
  const write = (name: string, text: string) => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  write("uname", `[ "$1" = -s ] && echo ${system} || echo ${processor}`);
  write("ldconfig", `echo "${libraries}"`);
  const bin = join(home, ".local/bin");
  const run = async (args: string[], more: RunOptions = {}) => {
    const { shell = SHELLS[0] ?? ["sh"], as = [], env = {}, script = SCRIPT } = more;
    // As from a pipe: the script is what the shell's input has.
    const child = Bun.spawn([...as, ...shell, "-s", "--", ...args], {
      env: {
        PATH: [tools, process.env.PATH].join(delimiter),
        ...{ HOME: home, TMPDIR: home, LLMLB_INSTALL_URL: server.url, ...env },
      },
      cwd: home,
      stdin: new Blob([script]),
      stdout: "pipe",
      stderr: "pipe",
    });
    return await runResultOf(child);
  };
  // Into the user's own place, also where the tests run as root.
  const install = (args: string[] = [], more: RunOptions = {}) =>
    run(["--prefix", join(home, ".local"), ...args], more);
  const files = () =>
    readdirSync(home, { recursive: true })
      .map(String)
      .filter((name) => !/^(tools|calls)/.test(name))
      .sort();
  return { home, bin, program: join(bin, "llmlb"), tools, run, install, files };
}

interface RunOptions {
  shell?: string[];
  /** What the shell is started by, such as for another user. */
  as?: string[];
  env?: Record<string, string>;
  script?: string;
}

const INSTALLED = [
  ".local",
  ".local/bin",
  ".local/bin/llmlb",
  ".local/share",
  ".local/share/bash-completion",
  ".local/share/bash-completion/completions",
  ".local/share/bash-completion/completions/llmlb",
  ".local/share/fish",
  ".local/share/fish/vendor_completions.d",
  ".local/share/fish/vendor_completions.d/llmlb.fish",
];

describe.if(isUnix)("install.sh", () => {
  test.each(SHELLS.map((shell) => [shell.join(" "), shell] as const))(
    "installs, replaces and removes without a trace: %s",
    async (_, shell) => {
      plainRelease("0.1.0");
      const { home, bin, program, install, files } = machine();
      const first = await install([], { shell });
      expect([first.code, first.stderr]).toEqual([0, ""]);
      expect(first.stdout).toContain(`Installed llmlb 0.1.0: ${program}`);
      expect(first.stdout).toContain(`export PATH="${bin}:$PATH"`);
      expect(first.stdout).toContain("http://127.0.0.1:32768/dashboard");
      expect(first.stdout).toContain("llmlb service install");
      expect(files()).toEqual(INSTALLED);
      expect(readFileSync(program, "utf8")).toBe(standIn("0.1.0"));

      const again = await install([], { shell });
      expect(again.stdout).toContain("llmlb 0.1.0 is there already");
      plainRelease("0.2.0");
      const newer = await install([], { shell });
      expect(newer.stdout).toContain(`Installed llmlb 0.2.0: ${program} (it was llmlb 0.1.0)`);
      expect(newer.stdout).toContain("llmlb restart");
      expect(readFileSync(program, "utf8")).toBe(standIn("0.2.0"));
      expect(files()).toEqual(INSTALLED);

      // What llmlb has made: its data, and what an update leaves beside it.
      mkdirSync(join(home, ".llmlb/run"), { recursive: true });
      writeFileSync(join(bin, "llmlb.previous"), "");
      mkdirSync(join(bin, ".llmlb-update"));
      const gone = await install(["--uninstall"], { shell });
      expect([gone.code, gone.stderr]).toEqual([0, ""]);
      expect(gone.stdout).toContain("Stopped llmlb");
      expect(gone.stdout).toContain(`Left: ${home}/.llmlb`);
      expect(files()).toEqual([".llmlb", ".llmlb/run"]);
      const purged = await install(["--uninstall", "--purge"], { shell });
      expect([purged.code, purged.stdout]).toEqual([0, expect.stringContaining("nothing to")]);
      expect(files()).toEqual([]);
    },
  );

  test("takes CUDA only where NVIDIA's driver is, and the release has it", async () => {
    plainRelease("0.1.0");
    const { program, install } = machine({ libraries: "libcuda.so.1 (libc6,x86-64) => /x" });
    expect((await install()).stdout).toContain("0.1.0 with cuda");
    expect(readFileSync(program, "utf8")).toContain("# cuda");
    expect((await install(["--variant=default"])).code).toBe(0);
    expect(readFileSync(program, "utf8")).toBe(standIn("0.1.0"));
    release({ "llmlb-0.2.0-linux-x64": standIn("0.2.0") });
    expect((await install()).stdout).toContain("Installed llmlb 0.2.0:");
    const { code, stderr } = await install(["--variant", "cuda"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("has no llmlb with CUDA")]);
  });

  test("the version is chosen, and has to be there", async () => {
    const both = ["0.1.0", "0.2.0"].map((one) => [`llmlb-${one}-linux-x64`, standIn(one)]);
    release(Object.fromEntries(both));
    const { install, program } = machine();
    expect((await install()).stderr).toContain("several versions");
    expect((await install(["--version", "v0.1.0"])).code).toBe(0);
    expect(readFileSync(program, "utf8")).toBe(standIn("0.1.0"));
    expect((await install(["--version", "0.3.0"])).stderr).toContain("no llmlb 0.3.0 for linux");
  });

  test("a release may lie in a folder, for machines without a network", async () => {
    plainRelease("0.1.0");
    const { home, install, program } = machine();
    const stick = join(home, "tools/stick");
    mkdirSync(stick);
    for (const [path, bytes] of server.files) writeFileSync(join(stick, path), bytes);
    expect((await install(["--url", stick])).code).toBe(0);
    expect(readFileSync(program, "utf8")).toBe(standIn("0.1.0"));
    expect((await install(["--url", `${stick}-not`])).stderr).toContain("cannot be read");
    expect(server.seen).toEqual([]);
  });

  test.if(has("wget"))("wget does where curl is not, of BusyBox as well", async () => {
    plainRelease("0.1.0");
    for (const wget of ["wget", ...(has("busybox") ? ["busybox"] : [])]) {
      const { tools, install, program } = machine();
      for (const name of NEEDED) {
        if (!existsSync(join(tools, name))) symlinkSync(Bun.which(name) ?? "", join(tools, name));
      }
      symlinkSync(Bun.which(wget) ?? "", join(tools, "wget"));
      const [shell = "sh", ...args] = SHELLS[0] ?? [];
      const env = { PATH: tools };
      const where = { shell: [Bun.which(shell) ?? "", ...args], env };
      expect(await install([], where)).toMatchObject({ code: 0, stderr: "" });
      expect(readFileSync(program, "utf8")).toBe(standIn("0.1.0"));
      server.treat = ({ path }) => (path.includes("linux") ? { status: 404 } : {});
      rmSync(program);
      expect((await install([], where)).stderr).toContain("wget ended with status");
      server.treat = () => ({});
      rmSync(join(tools, "wget"));
      expect((await install([], where)).stderr).toContain("curl or wget is needed");
    }
  });
});

/** All that it calls, but for curl and wget. */
const NEEDED = "id mktemp rm mkdir sha256sum cut awk chmod mv dirname df grep cat rmdir".split(" ");

describe.if(isUnix)("nothing is put in place, and an older one stays, where", () => {
  /** Each with what is wrong, the arguments, and what is told. */
  const faults: [string, () => void, string[], string][] = [
    ["a byte is another one", () => byteAt(3), [], "is not what it should be"],
    ["a download is cut", () => cutAt(20), [], "failed: "],
    ["the program is absent", () => absent("/llmlb-0.2.0-linux-x64"), [], "no such file"],
    ["there are no sums", () => absent("/SHA256SUMS"), [], "no such file"],
    ["the sums are a page", () => server.files.set("/SHA256SUMS", PAGE), [], "has no llmlb for"],
    ["it says another version", () => oneOf(standIn("0.3.0")), [], "does not run on this machine"],
    ["it does not run", () => oneOf("#!/bin/sh\necho no GLIBC >&2; exit 1\n"), [], "no GLIBC"],
    ["an option is unknown", () => undefined, ["--fast"], "--fast is unknown"],
    ["a value is missing", () => undefined, ["--version"], "--version needs a value"],
    ["a version is none", () => undefined, ["--version", "a/b"], "it must be as 0.2.0"],
  ];
  const PAGE = Buffer.from("<html>Log in to the network</html>\n");
  const isProgram = (path: string) => path.endsWith("linux-x64");
  const byteAt = (wrongByte: number) => {
    server.treat = ({ path }) => (isProgram(path) ? { wrongByte } : {});
  };
  const cutAt = (at: number) => {
    server.treat = ({ path }) => (isProgram(path) ? { cutAt: at } : {});
  };
  const absent = (name: string) => server.files.delete(name);
  const oneOf = (text: string) => release({ "llmlb-0.2.0-linux-x64": text });

  test.each(faults)("%s", async (_, spoil, args, message) => {
    plainRelease("0.1.0");
    const { install, program, files } = machine();
    expect((await install()).code).toBe(0);
    plainRelease("0.2.0");
    spoil();
    const { code, stderr } = await install(args);
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining(message)]);
    expect(readFileSync(program, "utf8")).toBe(standIn("0.1.0"));
    expect(files()).toEqual(INSTALLED);
  });

  test.each([
    ["Linux riscv64", "there is no llmlb for riscv64"],
    ["FreeBSD x86_64", "there is no llmlb for FreeBSD"],
    ["Darwin x86_64", "Macs with Intel"],
    ["MINGW64_NT-10.0 x86_64", "winget install"],
  ])("the machine is %s", async (uname, message) => {
    plainRelease("0.1.0");
    const { install, files } = machine({ uname });
    const { code, stderr } = await install();
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(files()).toEqual([]);
  });

  test("there is no network", async () => {
    const { install, program } = machine();
    const { stderr } = await install(["--url", "http://127.0.0.1:1"]);
    expect(stderr).toContain("no connection to it. Is this machine on the network?");
    expect((await install(["--url", "ftp://127.0.0.1:1"])).stderr).toContain("cannot be read");
    expect(existsSync(program)).toBe(false);
  });

  test("the script was cut on its way", async () => {
    plainRelease("0.1.0");
    const { install, files } = machine();
    const step = Math.ceil(SCRIPT.length / 12);
    const ends = [...Array(12).keys()].map((i) => i * step).concat(SCRIPT.lastIndexOf("\nmain"));
    for (const end of ends) {
      await install([], { script: SCRIPT.slice(0, end) });
      expect([end, files(), server.seen.length]).toEqual([end, [], 0]);
    }
  });

  test("this user may not write there", async () => {
    plainRelease("0.1.0");
    const { run, home } = machine();
    const place = join(home, "tools/place");
    mkdirSync(place, { mode: 0o555 });
    chmodSync(folder.path, 0o755);
    const as = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    const { code, stderr } = await run(["--to", place], { as, env: { TMPDIR: "/tmp" } });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/cannot be written to by \w+: name/)]);
    const below = await run(["--to", join(place, "a/b")], { as, env: { TMPDIR: "/tmp" } });
    expect(below.stderr).toContain("cannot be made");
    expect(readdirSync(place)).toEqual([]);
  });

  test.if(canMount).each([
    ["noexec", "programs may not be run in"],
    ["size=16k", "cannot be stored in"],
  ])("the disk is mounted with %s", async (options, message) => {
    const big = `${standIn("0.1.0")}${"#".repeat(40_000)}\n`;
    release({ "llmlb-0.1.0-linux-x64": options === "noexec" ? standIn("0.1.0") : big });
    const { run, home } = machine();
    const place = join(home, "tools/place");
    mkdirSync(place);
    const mount = `mount -t tmpfs -o ${options} none ${place} && "$@"; ended=$?; ls -A ${place}`;
    const as = ["unshare", "-m", "sh", "-c", `${mount}; exit $ended`, "sh"];
    const { code, stdout, stderr } = await run(["--to", place], { as });
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stdout).toMatch(/^Fetching [^\n]*\n$/);
  });
});

test.if(isUnix)("a service of this program is removed with it, or nothing is", async () => {
  plainRelease("0.1.0");
  const { home, install, program, files } = machine();
  await install();
  const units = join(home, ".config/systemd/user");
  mkdirSync(units, { recursive: true });
  const unit = (path: string) => `# ${markOf(join(home, "data"))}\nExecStart=${path}\n`;
  writeFileSync(join(units, "llmlb.service"), unit(program));
  writeFileSync(join(units, "llmlb-b.service"), unit("/elsewhere/llmlb"));
  mkdirSync(join(home, "private/run"), { recursive: true });
  symlinkSync("private", join(home, "data"));
  writeFileSync(program, `${standIn("0.1.0")}[ "$1" != service ] || exit 1\n`);
  const failed = await install(["--uninstall"]);
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining("so nothing was")]);
  expect(existsSync(program)).toBe(true);

  writeFileSync(program, standIn("0.1.0"));
  const gone = await install(["--uninstall", "--purge"]);
  expect([gone.code, gone.stderr]).toEqual([0, ""]);
  const calls = readFileSync(join(home, "calls"), "utf8");
  expect(calls).toContain("service uninstall --name llmlb --user\n");
  expect(calls).not.toContain("llmlb-b");
  expect(files().some((name) => /^(\.local|data|private)/.test(name))).toBe(false);
});

test.if(isUnix)("only llmlb's own folder is purged, a package's program left alone", async () => {
  plainRelease("0.1.0");
  const { home, install, program } = machine();
  await install();
  mkdirSync(join(home, "tools/papers"));
  const env = { LLMLB_HOME: join(home, "tools/papers") };
  const { stderr } = await install(["--uninstall", "--purge"], { env });
  expect(stderr).toContain("does not look like llmlb's");
  expect(existsSync(env.LLMLB_HOME)).toBe(true);

  await install();
  mkdirSync(join(home, ".local/share/llmlb"));
  writeFileSync(join(home, ".local/share/llmlb/managed"), "apt upgrade llmlb\n");
  for (const args of [[], ["--uninstall"]]) {
    const { code, stderr } = await install(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining("with: apt upgrade llmlb")]);
  }
  expect(existsSync(program)).toBe(true);
});

test.if(has("shellcheck"))("shellcheck has nothing to say", () => {
  const { stdout, success } = Bun.spawnSync(["shellcheck", "-s", "sh", "-"], {
    stdin: Buffer.from(SCRIPT),
  });
  expect([stdout.toString(), success]).toEqual(["", true]);
});
