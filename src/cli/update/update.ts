import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { maskUrl } from "../../config/values/endpoint.ts";
import { isCompiled } from "../../lib/childprocess.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { printJson, printLine, printNote } from "../terminal/output.ts";
import { chooseUpdate, type UpdateChoice } from "./choice.ts";
import { openFeed, type Release, type ReleaseFile } from "./feed.ts";
import { fetchRelease, readFeed } from "./fetching.ts";
import { handOverAll, serversBehind } from "./handover.ts";
import { packageCommand } from "./packagemanager.ts";
import { ProgramPlace } from "./programplace.ts";
import { tryProgram } from "./trial.ts";

/** The program that is to be replaced. */
export interface RunningProgram {
  path: string;
  version: string;
  platform: string;
  /** The public keys that releases are believed by. */
  keys: readonly string[];
}

/** What is done next; for tests that end the process there. */
export type UpdateStep = "fetch" | "try" | "keep" | "put" | "hand over" | "done";

export interface UpdateOptions {
  program: RunningProgram;
  /** The data folder whose servers go on as the new program. */
  home: string;
  /** URL or path of the feed; null: none is known. */
  feed: string | null;
  signal: AbortSignal;
  onStep?(step: UpdateStep): void;
}

/** Prints whether there is a newer release. Throws `CliError`. */
export async function checkForUpdate(options: UpdateOptions, asJson: boolean): Promise<ExitCode> {
  const { program } = options;
  const { release, choice } = await newest(options);
  const { version, released_at, notes } = release;
  if (asJson) {
    const isNewer = choice.kind === "update";
    return printJson({ current: program.version, latest: version, released_at, update: isNewer });
  }
  printLine(standingOf(program, release, choice));
  if (choice.kind === "update" && notes !== undefined) printLine(notes.trimEnd());
  const command = packageCommand(program.path) ?? "llmlb update";
  if (choice.kind === "update") printNote(`${command} installs it.`);
  return EXIT.ok;
}

/**
 * Replaces the program by the release of a feed, and makes the servers that run go on as that. At
 * any moment, also after a loss of power, the program's path has a whole program. Servers that do
 * not come up as the new one go on as they were, and the old one is put back. Throws `CliError`.
 */
export async function update(options: UpdateOptions): Promise<ExitCode> {
  const { program, home } = options;
  const { release, choice } = await newest(options);
  if (choice.kind !== "update") {
    printLine(standingOf(program, release, choice));
    return choice.kind === "absent" ? EXIT.error : await bringServers(options);
  }
  const place = new ProgramPlace(program.path);
  const lock = await place.open();
  try {
    await install({ ...options, place, release, file: choice.file });
    options.onStep?.("hand over");
    const { version } = release;
    const result = await handOverAll(serversBehind({ path: program.path, home, version }));
    if (result.failed !== undefined) {
      await place.swapBack({ keep: false });
      await returnServers(options);
      await place.close();
      throw new CliError(
        `${result.failed}\n  llmlb ${program.version} was put back: it serves as before.`,
      );
    }
    options.onStep?.("done");
    await place.close();
    printLine(`llmlb ${version} has taken the place of ${program.version} at ${program.path}.`);
    for (const reason of result.refused) printNote(`A server runs on as it was: ${reason}`);
    printNote("llmlb update --rollback goes back.");
    return EXIT.ok;
  } finally {
    lock.release();
  }
}

/** Goes back to the program before the last update; the one of now becomes the one before. */
export async function rollBack(options: UpdateOptions): Promise<ExitCode> {
  const { program, home } = options;
  const place = new ProgramPlace(program.path);
  if (!place.hasPrevious()) {
    throw new CliError(`There is nothing to go back to: ${place.previous} does not exist.`);
  }
  const version = await tryProgram({ path: place.previous, home });
  const lock = await place.open();
  try {
    await place.swapBack({ keep: true });
    const result = await handOverAll(serversBehind({ path: program.path, home, version }));
    if (result.failed !== undefined) {
      await place.swapBack({ keep: true });
      await returnServers(options);
      await place.close();
      throw new CliError(`${result.failed}\n  llmlb ${program.version} stays.`);
    }
    await place.close();
    printLine(`llmlb ${version} has taken the place of ${program.version} at ${program.path}.`);
    for (const reason of result.refused) printNote(`A server runs on as it was: ${reason}`);
    return EXIT.ok;
  } finally {
    lock.release();
  }
}

/** The release of the feed, and what it means for this program. */
async function newest({ program, feed, signal }: UpdateOptions) {
  if (feed === null) {
    throw new CliError("There is no feed of releases: name one with --feed, or as update_feed.");
  }
  if (program.keys.length === 0) {
    throw new CliError(
      "This llmlb believes no releases: it was built without a release key. Build it with \
--release-keys, or replace it by hand.",
    );
  }
  const text = await readFeed(feed, signal);
  try {
    const release = openFeed(text, program.keys);
    return { release, choice: chooseUpdate(release, program) };
  } catch (cause) {
    throw new CliError(
      `The feed ${maskUrl(feed)} is refused: ${errorMessage(cause)}.`,
      EXIT.error,
      cause,
    );
  }
}

function standingOf(program: RunningProgram, release: Release, choice: UpdateChoice): string {
  const { version } = release;
  switch (choice.kind) {
    case "update":
      return `llmlb ${version} of ${release.released_at} is there; this is ${program.version}.`;
    case "current":
      return `llmlb ${version} is the newest.`;
    case "older":
      return `This llmlb ${program.version} is newer than the feed's ${version}: nothing to do.`;
    case "absent":
      return `llmlb ${version} is there, but not for ${program.platform}.`;
  }
}

interface Installation extends UpdateOptions {
  place: ProgramPlace;
  release: Release;
  file: ReleaseFile;
}

async function install(options: Installation): Promise<void> {
  const { place, release, file, feed, home, signal, onStep } = options;
  const { version } = release;
  const path = place.downloadPath(version);
  await place.clean(version);
  onStep?.("fetch");
  await fetchRelease({ feed: feed ?? "", file, path, signal });
  await chmod(path, 0o755);
  onStep?.("try");
  const said = await tryProgram({ path, home });
  if (said !== version) {
    throw new CliError(`The feed's llmlb ${version} says that it is ${said}: it is not taken.`);
  }
  onStep?.("keep");
  await place.keepPrevious();
  onStep?.("put");
  await place.put(path);
}

/** Servers that an update which was interrupted has left behind go on as the program of now. */
async function bringServers({ program, home }: UpdateOptions): Promise<ExitCode> {
  const { path, version } = program;
  const place = new ProgramPlace(path);
  if (existsSync(place.folder)) {
    const lock = await place.open();
    await place.close();
    lock.release();
  }
  const { failed, refused } = await handOverAll(serversBehind({ path, home, version }));
  for (const reason of refused) printNote(`A server runs on as it was: ${reason}`);
  if (failed === undefined) return EXIT.ok;
  throw new CliError(`${failed}\n  llmlb update --rollback goes back to the program before.`);
}

/** Those that had gone on as the other program already come back. */
async function returnServers({ program, home }: UpdateOptions): Promise<void> {
  const { path, version } = program;
  const { failed } = await handOverAll(serversBehind({ path, home, version }));
  if (failed !== undefined) printNote(`A server did not come back: ${failed}`);
}

/** Throws `CliError` where there is no executable that could be replaced. */
export function requireExecutable(): void {
  if (isCompiled) return;
  throw new CliError("This llmlb runs from its source: git pull brings the newest.");
}
