import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { isAlive, killIfThere } from "../src/testkit/processes.ts";

setDefaultTimeout(60_000);

const folders: ReturnType<typeof temporaryHome>[] = [];
const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) killIfThere(pid);
  for (const folder of folders.splice(0)) folder[Symbol.dispose]();
});

const isLinux = process.platform === "linux";

/**
 * A user's home with a stand-in for systemctl, which notes how it was called, starts what the unit
 * says with a plain shell, and tells of it as systemd would.
 */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$HOME/calls"
shift
unit="$HOME/.config/systemd/user/$2"
case "$1" in
is-system-running) echo running ;;
start)
  unit="$HOME/.config/systemd/user/$3"
  [ -e "$HOME/pid" ] && exit 0
  eval "set -- $(sed -n 's/^ExecStart=//p' "$unit")"
  "$@" > "$HOME/out" 2>&1 &
  echo $! > "$HOME/pid" ;;
disable)
  kill "$(cat "$HOME/pid")"; rm "$HOME/pid" ;;
show)
  if [ -e "$HOME/pid" ]; then
    echo "ActiveState=active"; echo "SubState=running"; echo "UnitFileState=enabled"
    echo "MainPID=$(cat "$HOME/pid")"
  else
    echo "ActiveState=inactive"; echo "SubState=dead"; echo "MainPID=0"
  fi ;;
esac
`;

function userHome() {
  const folder = temporaryHome();
  folders.push(folder);
  const home = folder.path;
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin", "systemctl"), SYSTEMCTL);
  chmodSync(join(home, "bin", "systemctl"), 0o755);
  const env = { PATH: [join(home, "bin"), process.env.PATH ?? ""].join(delimiter) };
  const unit = join(home, ".config/systemd/user/llmlb.service");
  return {
    ...{ home, unit },
    run: (args: string[], words: string[] = []) =>
      runProgram(["service", ...args, "--user", ...words], { home, env }),
    calls: () => readFileSync(join(home, "calls"), "utf8").trim().split("\n"),
    pid: () => Number(readFileSync(join(home, "pid"), "utf8")),
  };
}

test.if(isLinux)("a user's service is installed, serves, and is gone again", async () => {
  const { home, unit, run, calls, pid } = userHome();
  const words = ["--", "balancer", "--port", "0"];
  const planned = await run(["install", "--dry-run"], words);
  expect(planned.stdout).toContain("ExecReload=/bin/kill -HUP $MAINPID");
  expect(existsSync(join(home, ".config"))).toBe(false);
  expect((await run(["status"])).code).toBe(1);

  const installed = await run(["install"], words);
  expect(installed.stderr).toContain("loginctl enable-linger");
  started.push(pid());
  expect(installed.code).toBe(0);
  expect(installed.stdout).toContain(`Wrote ${unit}`);
  expect(installed.stdout).toContain("llmlb service uninstall --user");
  expect(readFileSync(unit, "utf8")).toBe(planned.stdout);
  const status = () => run(["status", "--json"]);
  const { url } = await eventually(async () => {
    const { servers } = JSON.parse((await status()).stdout) as { servers: { url: string }[] };
    return servers[0];
  }, 20_000);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(JSON.parse((await status()).stdout)).toMatchObject({
    ...{ installed: true, active: true, pid: pid(), home, scope: "user" },
  });

  // Again: nothing changes, and nothing is started anew.
  const before = pid();
  const again = await run(["install"], words);
  expect(again.stdout).toContain(`Found as it is to be: ${unit}`);
  // Otherwise: the definition changes, and who is served goes on being served.
  const other = await run(["install"], ["--", "balancer", "--port", "0", "--log-level", "debug"]);
  expect(other.stderr).toContain("systemctl --user restart llmlb");
  expect([pid(), isAlive(before)]).toEqual([before, true]);

  // It can be looked at and removed whatever its settings say.
  writeFileSync(join(home, "config.json"), '{ "port": ');
  expect((await run(["status"])).stdout).toContain("state     active");
  const gone = await run(["uninstall"]);
  expect(gone).toMatchObject({ code: 0, stdout: `Removed ${unit}\n` });
  expect(gone.stderr).toContain(`The data folder ${home} is left`);
  await eventually(() => !isAlive(before) || undefined, 20_000);
  expect(readdirSync(join(home, ".config/systemd/user"))).toEqual([]);
  expect(calls()).toContain("--user enable llmlb.service");
  expect(calls().at(-1)).toBe("--user reset-failed llmlb.service");
  const none = await run(["uninstall"]);
  expect(none).toMatchObject({ code: 0, stderr: expect.stringContaining("nothing to do") });
});

test.if(isLinux)("a definition that others have written is left alone", async () => {
  const { home, unit, run } = userHome();
  mkdirSync(join(home, ".config/systemd/user"), { recursive: true });
  writeFileSync(unit, "[Service]\nExecStart=/bin/true\n");
  for (const action of ["install", "uninstall"]) {
    const { code, stderr } = await run([action]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("was not written by")]);
  }
  expect(readFileSync(unit, "utf8")).toContain("/bin/true");
});

const hasSystemctl = isLinux && Bun.which("systemctl") !== null;
test.if(hasSystemctl)("an image gets the machine's service, and loses it again", async () => {
  const folder = temporaryHome();
  folders.push(folder);
  const root = folder.path;
  const run = (...args: string[]) =>
    runProgram(["service", ...args, "--root", root, "--name", "llmlb-a"], { home: root });
  const installed = await run("install");
  expect(installed).toMatchObject({ code: 0 });
  const wanted = join(root, "etc/systemd/system/multi-user.target.wants/llmlb-a.service");
  expect(readdirSync(join(wanted, ".."))).toEqual(["llmlb-a.service"]);
  const unit = readFileSync(join(root, "etc/systemd/system/llmlb-a.service"), "utf8");
  expect(unit).toContain("\nStateDirectory=llmlb-a\n");
  expect(unit).toContain(" serve --home /var/lib/llmlb-a\n");
  expect((await run("uninstall")).code).toBe(0);
  expect(readdirSync(join(root, "etc/systemd/system"), { recursive: true })).toEqual([]);
});

test("what cannot be a service is refused before anything is written", async () => {
  const { home, run } = userHome();
  const wrong: [string[], string[], string][] = [
    [["--name", "other"], [], "must begin with llmlb"],
    [["--root", home], [], isLinux ? "--root is for systemd's services" : "--root"],
    [["--run-as", "nobody"], [], "runs as you"],
    [[], ["--", "node", "--token", "x"], "put token into config.json"],
    [[], ["--", "--model", "absent.gguf"], "there is no file"],
  ];
  for (const [args, words, message] of wrong) {
    const { code, stderr } = await run(["install", ...args], words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
  expect(existsSync(join(home, ".config"))).toBe(false);
});
