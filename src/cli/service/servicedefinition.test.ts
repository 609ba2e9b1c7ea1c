import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchdDefinition } from "./launchd.ts";
import { dataFolderIn, type ServicePlan } from "./plan.ts";
import { readServiceArguments } from "./servicearguments.ts";
import { serviceHomes } from "./servicehomes.ts";
import { systemdDefinition } from "./systemd.ts";
import { systemdUnit } from "./systemdunit.ts";
import { windowsDefinition } from "./windows.ts";
import { windowsCommandLine } from "./windowswrapper.ts";

const PLAN: ServicePlan = {
  ...{ name: "llmlb", scope: "system", home: "/var/lib/llmlb", writable: [], readsHomes: false },
  command: ["/bin/sh", "serve", "--home", "/var/lib/llmlb"],
  ...{ runAs: undefined, groups: ["video", "render"], port: 32_768 },
  ...{ startMs: 660_000, stopMs: 50_000 },
};

/** One whose folders and files lie elsewhere. */
const OTHER_FOLDERS: ServicePlan = {
  ...PLAN,
  ...{ home: "/srv/llmlb", writable: ["/srv/models"], readsHomes: true, runAs: "daemon" },
};

/** Runs a tool of the system on a text in a file; undefined where there is no such tool. */
async function judge(tool: string[], file: string, text: string) {
  if (Bun.which(tool[0] ?? "") === null) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "llmlb-service-"));
  try {
    writeFileSync(join(folder, file), text);
    const child = Bun.spawn([...tool, file], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
    return { output: (await Promise.all(texts)).join(""), code: await child.exited };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function linesOf(text: string, key: string): string[] {
  return text.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line] : []));
}

describe("the unit of systemd", () => {
  const plans: [string, ServicePlan][] = [
    ["of the machine", PLAN],
    ["below port 1024", { ...PLAN, port: 443 }],
    ["of a named user with folders of his own", OTHER_FOLDERS],
  ];
  test.each(plans)("%s is one that systemd takes, with an exposure under 3", async (_, plan) => {
    const unit = systemdUnit(plan);
    expect(linesOf(unit, "CapabilityBoundingSet")).toEqual([
      plan.port < 1024 ? "CapabilityBoundingSet=CAP_NET_BIND_SERVICE" : "CapabilityBoundingSet=",
    ]);
    const verified = await judge(["systemd-analyze", "verify"], "./llmlb.service", unit);
    if (verified !== undefined) expect(verified).toEqual({ code: 0, output: "" });
    const rating = ["systemd-analyze", "security", "--offline=yes", "--threshold=29"];
    const rated = await judge(rating, "./llmlb.service", unit);
    if (rated === undefined) return;
    expect(
      Number(/exposure level for llmlb.service: ([\d.]+)/.exec(rated.output)?.[1]),
    ).toBeLessThan(3);
    expect(rated.code).toBe(0);
  });

  test("has nothing that would need more than the user has, where it is his own", () => {
    const unit = systemdUnit({ ...PLAN, scope: "user", home: "/home/user/my llmlb" });
    expect(unit).not.toMatch(/^(Protect|Private|Device|Capability|DynamicUser|Supplementary)/m);
    expect(unit).toContain("\nNoNewPrivileges=yes\n");
    expect(unit).toContain("\nWorkingDirectory=-/home/user/my llmlb\n");
    expect(unit).toContain("\nWantedBy=default.target\n");
  });

  test("of a node that joins waits for its balancer as long as it takes", () => {
    expect(systemdUnit({ ...PLAN, startMs: undefined })).toContain("\nTimeoutStartSec=infinity\n");
  });

  test.each([
    ["a b", 'ExecStart="a b"'],
    ['say "hi" \\', 'ExecStart="say \\"hi\\" \\\\"'],
    ["100%", "ExecStart=100%%"],
    ["$HOME", "ExecStart=$$HOME"],
    ["", 'ExecStart=""'],
    ["a;b", 'ExecStart="a;b"'],
  ])("quotes %j", (word, line) => {
    expect(linesOf(systemdUnit({ ...PLAN, command: [word] }), "ExecStart")).toEqual([line]);
  });

  test("what systemctl shows is read", () => {
    const { query, purge } = systemdDefinition(PLAN, { root: undefined, configFolder: "/c" });
    expect(purge("/var/lib/llmlb")).toBe("rm -r /var/lib/llmlb /var/lib/private/llmlb");
    const shown = "MainPID=71\nActiveState=active\nSubState=running\nUnitFileState=enabled\n";
    expect(query.parse(shown, 0)).toEqual({
      text: "active (running), starts with the machine",
      ...{ isActive: true, pid: 71 },
    });
    const gone = "MainPID=0\nActiveState=inactive\nSubState=dead\nUnitFileState=\n";
    expect(query.parse(gone, 0)).toMatchObject({ isActive: false, pid: undefined });
  });
});

test("a property list has the words of the command, escaped, and the user", () => {
  const plan = { ...PLAN, command: ["/a/llmlb", "--x", "<&>"], runAs: "_llmlb" };
  const definition = launchdDefinition(plan, { userFolder: "/home/user", uid: 501 });
  const [file] = definition.files;
  expect(file?.path).toBe("/Library/LaunchDaemons/llmlb.plist");
  expect(file?.text).toContain("<string>&lt;&amp;&gt;</string>");
  expect(file?.text).toMatch(/<key>UserName<\/key>\s*<string>_llmlb</);
  expect(dataFolderIn(file?.text ?? "")).toBe("/var/lib/llmlb");
  const enable = definition.enable.map(({ argv }) => argv.join(" "));
  expect(enable).toContain("launchctl bootstrap system /Library/LaunchDaemons/llmlb.plist");
  const printed = "system/llmlb = {\n\tstate = running\n\tpid = 88\n}";
  expect(definition.query.parse(printed, 0)).toEqual({ text: "running", isActive: true, pid: 88 });
  expect(definition.query.parse("", 113).isActive).toBe(false);
});

test("the data folders of services are found by their definitions", () => {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-service-"));
  try {
    writeFileSync(join(folder, "llmlb.service"), systemdUnit(PLAN));
    writeFileSync(join(folder, "llmlb-b.service"), systemdUnit({ ...PLAN, home: "/srv/my b" }));
    writeFileSync(join(folder, "llmlb-foreign.service"), "[Service]\nExecStart=/bin/true\n");
    writeFileSync(join(folder, "other.service"), systemdUnit({ ...PLAN, home: "/srv/other" }));
    const homes = serviceHomes([folder, join(folder, "absent")]);
    expect(homes.sort()).toEqual(["/srv/my b", "/var/lib/llmlb"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a user's agent of macOS is his own", () => {
  const plan: ServicePlan = { ...PLAN, scope: "user" };
  const { files, disable } = launchdDefinition(plan, { userFolder: "/home/user", uid: 501 });
  expect(files[0]?.path).toBe("/home/user/Library/LaunchAgents/llmlb.plist");
  expect(files[0]?.text).not.toContain("UserName");
  expect(disable[0]?.argv).toEqual(["launchctl", "bootout", "gui/501/llmlb"]);
});

describe("a service of Windows", () => {
  const plan: ServicePlan = {
    ...PLAN,
    home: "C:\\ProgramData\\llmlb",
    command: ["C:\\Program Files\\llmlb\\llmlb.exe", "serve", "--name", 'a "b"'],
  };
  const definition = windowsDefinition(plan, "C:\\Windows");

  test("has a wrapper that a C# 5 compiler takes", async () => {
    const text = definition.files[0]?.text ?? "";
    expect(text).toContain('const string Words = @"serve --name ""a \\""b\\""""";');
    expect(dataFolderIn(text)).toBe("C:\\ProgramData\\llmlb");
    const compiler = ["mcs", "-langversion:5", "-reference:System.ServiceProcess.dll"];
    const compiled = await judge(compiler, "wrapper.cs", text);
    if (compiled !== undefined) expect(compiled).toEqual({ code: 0, output: "" });
  });

  test("is made, started again when it fails, and asked for by numbers", () => {
    const commands = definition.enable.map(({ argv }) => argv.join(" "));
    expect(commands.find((one) => one.startsWith("sc.exe create"))).toContain("start= auto");
    expect(commands).toContain("sc.exe failureflag llmlb 1");
    const shown = "  STATUT  : 4  RUNNING\n  PID     : 4242\n";
    const state = definition.query.parse(`  TYPE : 10  WIN32_OWN_PROCESS\n${shown}`, 0);
    expect(state).toEqual({ text: "running", isActive: true, pid: 4242 });
  });

  test.each([
    ["a", "a"],
    ["", '""'],
    ["a b", '"a b"'],
    ['a"b', '"a\\"b"'],
    ["a b\\", '"a b\\\\"'],
    ['\\"', '"\\\\\\""'],
  ])("quotes %j as %j", (word, quoted) => {
    expect(windowsCommandLine([word])).toBe(quoted);
  });
});

describe("the arguments of a service", () => {
  const home = "/var/lib/llmlb";
  test("are read as llmlb reads them, with the data folder among them", () => {
    const words = ["node", "--port", "9", "-c", "4096", "--", "--temp", "0"];
    const { words: all, settings } = readServiceArguments(words, { home });
    expect(all).toEqual(["node", "--home", home, "--port", "9", "--", "-c", "4096", "--temp", "0"]);
    expect(settings).toMatchObject({ mode: "node", port: 9, home });
    expect(readServiceArguments([], { home }).words).toEqual(["serve", "--home", home]);
    expect(readServiceArguments(["--model", "a.gguf"], { home }).settings.models).toMatchObject([
      { path: `${home}/a.gguf` },
    ]);
  });

  test.each([
    [["node", "--token", "enrol_1"], "put token into config.json"],
    [["-e", "http://u:secret@a"], "put an address with a password into config.json"],
    [["--home", "/x"], "named before --"],
    [["--port", "x"], "--port x: must be a whole number"],
    [["balncer"], "too many arguments"],
    [["balancer", "--model", "x"], "unknown option '--model'"],
  ])("%p are refused: %s", (words, message) => {
    expect(() => readServiceArguments(words, { home })).toThrow(message);
  });
});
