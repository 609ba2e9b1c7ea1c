import { copyFile, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { maskUrl } from "../../config/values/endpoint.ts";
import { fetchTls } from "../../http/client/trust.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { digestOf } from "../../lib/filedigest.ts";
import { PullError } from "../../storage/pull/error.ts";
import { Puller } from "../../storage/pull/puller.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { createPullDisplay, showProgress } from "../terminal/pulldisplay.ts";
import type { ReleaseFile } from "./feed.ts";

const FEED_BYTES_MAX = 2 ** 20;
const FEED_MS_MAX = 30_000;

/** Reads the text of a feed, from a URL or a file. Throws `CliError`. */
export async function readFeed(feed: string, signal: AbortSignal): Promise<string> {
  try {
    if (isUrl(feed)) return await fetchText(feed, signal);
    const text = await readFile(localPath(feed), "utf8");
    if (text.length > FEED_BYTES_MAX) throw new Error("it is larger than 1 MiB");
    return text;
  } catch (cause) {
    if (signal.aborted) throw new CliError("Stopped.", EXIT.interrupted, cause);
    const reason = errorMessage(cause);
    throw new CliError(
      `Reading the feed ${maskUrl(feed)} failed: ${reason}.`,
      EXIT.unreachable,
      cause,
    );
  }
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FEED_MS_MAX)]);
  const response = await fetch(url, { signal: limit, ...fetchTls() });
  if (!response.ok) throw new Error(`the server answered HTTP ${response.status}`);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    pieces.push(piece);
    size += piece.length;
    if (size > FEED_BYTES_MAX) throw new Error("it is larger than 1 MiB");
  }
  return Buffer.concat(pieces).toString("utf8");
}

interface FetchOptions {
  feed: string;
  file: ReleaseFile;
  /** Where it is put; a part of an earlier try is gone on with. */
  path: string;
  signal: AbortSignal;
}

/** Fetches a file of a release; it is there once its size and hash are right. Throws `CliError`. */
export async function fetchRelease({ feed, file, path, signal }: FetchOptions): Promise<void> {
  const { size_bytes, sha256 } = file;
  if (!isUrl(feed) && !isUrl(file.url)) {
    await copyRelease(resolve(dirname(localPath(feed)), file.url), path, file);
    return;
  }
  const url = new URL(file.url, isUrl(feed) ? feed : undefined).href;
  const artifact = {
    ...{ filename: "llmlb", format: "config" as const, quantization: null, git_oid: null },
    ...{ size_bytes, sha256, url, priority: 0, runtimes: [], optional: false },
  };
  const puller = new Puller({ root: dirname(path), hubUrl: url, origins: ["*"] });
  const { progress, result } = puller.fetchFile(artifact, path, signal);
  const outcome = result.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  await showProgress(progress.watch(new AbortController().signal), await createPullDisplay());
  const failure = await outcome;
  if (failure === undefined) return;
  if (signal.aborted) {
    const message = "Stopped; the next llmlb update goes on with what was fetched.";
    throw new CliError(message, EXIT.interrupted, failure.error);
  }
  const code =
    failure.error instanceof PullError && failure.error.failure === "unreachable"
      ? EXIT.unreachable
      : EXIT.error;
  throw new CliError(
    `Fetching ${maskUrl(url)} failed: ${errorMessage(failure.error)}`,
    code,
    failure.error,
  );
}

async function copyRelease(from: string, path: string, file: ReleaseFile): Promise<void> {
  try {
    await copyFile(from, path);
  } catch (cause) {
    throw new CliError(`Copying ${from} failed: ${errorMessage(cause)}`, EXIT.error, cause);
  }
  const found = await digestOf(path);
  if (found.sha256 === file.sha256 && found.size_bytes === file.size_bytes) return;
  throw new CliError(`${from} is not the file that the feed tells of: its hash differs.`);
}

function isUrl(text: string): boolean {
  return /^https?:/i.test(text);
}

function localPath(feed: string): string {
  return feed.startsWith("file:") ? fileURLToPath(feed) : feed;
}
