import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { describeFileError } from "../process/fileerror.ts";
import { requireModelFiles } from "../serve/modelchecks.ts";
import { printLine, printNote } from "../terminal/output.ts";
import { accessProblem, defineService, requireUser, type ServiceOptions } from "./definition.ts";
import { packagedHome, presence, requireSystem, runSteps, serviceState } from "./effects.ts";
import type { ServiceDefinition, ServiceFile, ServicePlan } from "./plan.ts";
import { variablesLeftBehind } from "./servicearguments.ts";

interface InstallOptions extends ServiceOptions {
  /** Print what would be written and run, and change nothing. */
  dryRun: boolean;
  /** Replace a definition that somebody else has written. */
  force: boolean;
}

/** How long it is watched whether the service comes up. */
const WATCH_MS_MAX = 15_000;
const POLL_MS = 300;

/**
 * Makes llmlb a service of this system and starts it; where that is so already, nothing changes. A
 * service that runs goes on as it is. Throws `CliError`.
 */
export async function installService(options: InstallOptions): Promise<ExitCode> {
  const { plan, settings, definition } = defineService(options);
  requireUser(plan);
  if (options.dryRun) return printPlan(definition);
  const isElsewhere = options.root !== undefined;
  if (!isElsewhere) {
    requireReadable(plan);
    if (settings.mode !== "balancer") requireModelFiles(settings);
  }
  if (packagedHome(definition) !== undefined) {
    throw new CliError(
      `${definition.packaged} is the package's service: systemctl enable --now ${plan.name} starts \
it. Give another one a name with --name.`,
    );
  }
  await requireSystem(definition);
  const changed = definition.files.filter(({ path, text }) => {
    const found = presence(path, text);
    if (found === "foreign" && !options.force) {
      const advice = "Give this one another --name, or replace that one with --force.";
      throw new CliError(`${path} was not written by llmlb service install. ${advice}`);
    }
    return found !== "same";
  });
  const before = isElsewhere ? undefined : await serviceState(definition);
  for (const file of changed) write(file);
  await runSteps(definition.enable);
  tellInstalled(plan, definition, changed);
  if (isElsewhere) return EXIT.ok;
  const isStale = changed.length > 0 && before?.isActive === true;
  if (isStale && definition.restart !== undefined) {
    printNote(`It runs on as before. To go on with the new definition: ${definition.restart}`);
    return EXIT.ok;
  }
  return watch(plan, definition);
}

function printPlan({ files, enable }: ServiceDefinition): ExitCode {
  for (const { path, text } of files) {
    printNote(`Would write ${path}:`);
    printLine(text.trimEnd());
  }
  for (const { argv } of enable) printNote(`Would run: ${argv.join(" ")}`);
  return EXIT.ok;
}

function requireReadable(plan: ServicePlan): void {
  const problem = accessProblem(plan);
  if (problem === undefined) return;
  throw new CliError(
    `A service of this machine could not be started: ${problem}. \
Put the program where all may run it, such as /usr/local/bin, and install it from there.`,
  );
}

function write({ path, text }: ServiceFile): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text, { mode: 0o644, flush: true });
    chmodSync(`${path}.new`, 0o644);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new CliError(`Writing ${path} failed: ${describeFileError(cause)}.`, EXIT.error, cause);
  }
}

function tellInstalled(
  { name, home, scope }: ServicePlan,
  { files, notes }: ServiceDefinition,
  changed: ServiceFile[],
): void {
  for (const file of files) {
    const verb = changed.includes(file) ? "Wrote" : "Found as it is to be:";
    printLine(`${verb} ${file.path}`);
  }
  printLine(`Data folder: ${home}`);
  const flags = name === "llmlb" ? "" : ` --name ${name}`;
  printLine(`Undo it with: llmlb service uninstall${flags}${scope === "user" ? " --user" : ""}`);
  const behind = variablesLeftBehind();
  if (behind.length > 0) {
    printNote(`It does not have this shell's ${behind.join(", ")}: config.json may have the same.`);
  }
  for (const note of notes) printNote(note);
}

/** Waits until it runs; one that loads a model for long is told of as such. */
async function watch(plan: ServicePlan, definition: ServiceDefinition): Promise<ExitCode> {
  const endsAt = performance.now() + WATCH_MS_MAX;
  for (;;) {
    const { text, isActive, pid } = await serviceState(definition);
    if (isActive) {
      printLine(`It runs${pid === undefined ? "" : ` as process ${pid}`}.`);
      printLine(`Commands find it with LLMLB_HOME=${plan.home}`);
      return EXIT.ok;
    }
    if (/^failed/.test(text)) {
      throw new CliError(`The service does not start: ${text}. Look at: ${definition.logs}`);
    }
    if (performance.now() > endsAt) {
      printNote(
        `It is not up yet (${text}): llmlb service status tells. Its log: ${definition.logs}`,
      );
      return EXIT.ok;
    }
    await Bun.sleep(POLL_MS);
  }
}
