// Every script of package.json goes through here: `node scripts/run.mjs <command> [args…]`.
// Brings the checkout up to date (dependencies, Bun, native library,
// dashboard), then runs the command.
// Plain Node without dependencies, since it runs before any are installed; Bun runs it as well.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".llmlb.json");
const onBun = process.versions.bun !== undefined;
const isWindows = process.platform === "win32";
const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * What runs for each command (in the repository unless told), and whether it needs what is
 * built: the native library and the dashboard. */
const COMMANDS = {
  start: { native: true, cwd: process.cwd(), argv: (args) => [join(root, "src/main.ts"), ...args] },
  test: { native: true, argv: testArgv },
  check: { native: true, argv: (args) => ["scripts/check.ts", ...args] },
  build: { native: false, argv: (args) => ["scripts/build.ts", ...args] },
  native: { native: false, argv: (args) => ["scripts/native.ts", ...args] },
  smoke: { native: false, argv: (args) => ["scripts/smoke.ts", ...args] },
  walk: { native: false, argv: (args) => ["scripts/walk.ts", ...args] },
  soak: { native: true, argv: (args) => ["scripts/soak.ts", ...args] },
  fuzz: { native: true, argv: (args) => ["scripts/fuzz.ts", ...args] },
  docs: { native: false, argv: (args) => ["scripts/docs.ts", ...args] },
  feed: {
    native: false,
    cwd: process.cwd(),
    argv: (args) => [join(root, "scripts/feed.ts"), ...args],
  },
  release: {
    native: false,
    cwd: process.cwd(),
    argv: (args) => [join(root, "scripts/release.ts"), ...args],
  },
  bench: { native: true, argv: ([name, ...args]) => [benchFile(name), ...args] },
};

const [name = "", ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  fail(`unknown command "${name}": use one of ${Object.keys(COMMANDS).join(", ")}`);
}
const bun = prepare();
if (command.native) {
  for (const argv of [["scripts/native.ts", "--quiet"], ["scripts/dashboard.ts"]]) {
    const [script, ...rest] = argv;
    const code = await run(bun, [join(root, script), ...rest]);
    if (code !== 0) process.exit(code);
  }
}
process.exit(await run(bun, command.argv(args), command.cwd));

function testArgv(args) {
  const chosen = args.some((arg) => !arg.startsWith("-"));
  const folders = ["src", "specs", "scripts"].map((folder) => `./${folder}`);
  return ["test", ...args, ...(chosen ? [] : folders)];
}

function benchFile(bench = "") {
  const names = readdirSync(join(root, "scripts/bench")).filter((file) => file.endsWith(".ts"));
  if (names.includes(`${bench}.ts`)) return `scripts/bench/${bench}.ts`;
  const known = names.map((file) => file.slice(0, -3)).join(", ");
  fail(`unknown benchmark "${bench}": use one of ${known || "(there are none yet)"}`);
}

/** Installs dependencies if they are missing or changed; returns the path of a Bun that works. */
function prepare() {
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  const digest = lock.digest("hex");
  const stamp = readStamp();
  if (stamp?.lock === digest && existsSync(stamp.bun)) return stamp.bun;
  if (stamp?.lock !== digest && !installedByHand()) install();
  const found = findBun();
  writeFileSync(stampFile, JSON.stringify({ lock: digest, bun: found }));
  return found;
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, "utf8"));
  } catch {
    return undefined; // first run, or the file is damaged: look at everything again
  }
}

/** npm leaves a lock file of its own in node_modules; newer than ours means nothing has changed. */
function installedByHand() {
  const theirs = join(modules, ".package-lock.json");
  if (!existsSync(theirs)) return false;
  return statSync(theirs).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

function install() {
  // `npm ci` starts by deleting what is there, which programs may be using right now.
  const npm = existsSync(modules) ? ["install", "--no-save"] : ["ci"];
  const [tool, ...argv] = onBun
    ? [process.execPath, "install", "--frozen-lockfile"]
    : ["npm", ...npm, "--no-audit", "--no-fund", "--loglevel=error"];
  say(`installing dependencies (${onBun ? "bun" : "npm"} ${argv[0]})`);
  rmSync(stampFile, { force: true });
  // npm is a .cmd file on Windows, which only a shell can start.
  const { status, error } = spawnSync(tool, argv, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: isWindows && !onBun,
  });
  if (error !== undefined) fail(`installing dependencies: ${tool} did not start: ${error.message}`);
  if (status !== 0) fail(`installing dependencies: ${tool} ended with code ${status}, see above`);
}

/** The pinned Bun: the one that runs this, or the one from node_modules, however it got there. */
function findBun() {
  const wanted = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies.bun;
  if (onBun && process.versions.bun === wanted) return process.execPath;
  const own = join(modules, "bun", "bin", "bun.exe");
  if (works(own)) return own;
  // Without install scripts, the package holds a placeholder until this has run.
  const installer = join(modules, "bun", "install.js");
  if (existsSync(installer)) {
    spawnSync(process.execPath, [installer], { cwd: join(modules, "bun"), stdio: "ignore" });
    if (works(own)) return own;
  }
  for (const candidate of platformBuns()) if (works(candidate)) return candidate;
  if (onBun) {
    say(`Bun ${wanted} was not found in node_modules: going on with ${process.versions.bun}`);
    return process.execPath;
  }
  const platform = `${process.platform}-${process.arch}`;
  fail(
    `looking for Bun ${wanted} in node_modules: none works on ${platform}. ` +
      "Remove node_modules and try again; do not omit optional dependencies",
  );
}

function platformBuns() {
  const scope = join(modules, "@oven");
  if (!existsSync(scope)) return [];
  const names = readdirSync(scope).filter((entry) => entry.startsWith("bun-"));
  return names.map((entry) => join(scope, entry, "bin", isWindows ? "bun.exe" : "bun"));
}

function works(path) {
  if (!existsSync(path) || statSync(path).size < 1024 * 1024) return false;
  return spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Runs Bun in the foreground and resolves with its exit code; signals go to it, not to us. */
function run(bun, argv, cwd = root) {
  return new Promise((resolve) => {
    const child = spawn(bun, argv, { cwd, stdio: "inherit" });
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
      process.removeAllListeners(signal);
      // On a terminal Ctrl-C reaches the child by itself: passing it on would count twice.
      const shared = signal === "SIGINT" && process.stdin.isTTY === true;
      process.on(signal, () => shared || child.kill(signal));
    }
    endWithShell(child);
    child.on("error", (error) => fail(`starting ${bun}: ${error.message}`));
    child.on("exit", (code, signal) => resolve(code ?? 128 + (SIGNALS[signal] ?? 1)));
  });
}

/** Told to end, npm only ends the shell between it and us; then the program has to end as well. */
function endWithShell(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    child.kill("SIGTERM");
  }, 200);
  timer.unref();
}

function say(text) {
  process.stderr.write(`llmlb: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
