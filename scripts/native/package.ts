import { rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { errorMessage } from "../../src/lib/errormessage.ts";
import { megabytes, Progress } from "./progress.ts";
import { capture } from "./run.ts";

const ATTEMPTS = 3;
const IDLE_TIMEOUT_MS = 60_000;
const SIZE_BYTES_MAX = 512 * 1024 * 1024;

/** A package of the npm registry, pinned. */
export interface Pin {
  name: string;
  version: string;
  /** `sha512-…` in base64, as the registry and lock files write it. */
  integrity: string;
}

/**
 * The path of a pinned package's archive in `folder`, downloaded if it is not there yet. Its bytes
 * are verified either way. The address comes from the package manager, so that the user's registry
 * settings hold. The wait before a new attempt starts at `retryDelayMs` and doubles.
 */
export async function fetchPackage(pin: Pin, folder: string, retryDelayMs = 2000): Promise<string> {
  const file = join(folder, `${pin.name.replace("@", "").replace("/", "-")}-${pin.version}.tgz`);
  if (await Bun.file(file).exists()) {
    if ((await integrityOf(file)) === pin.integrity) return file;
    await rm(file);
  }
  const url = await addressOf(pin);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await download({ url, file, pin });
      return file;
    } catch (cause) {
      if (attempt >= ATTEMPTS || cause instanceof IntegrityError) throw explained(pin, file, cause);
      process.stderr.write(`llmlb: ${pin.name}: ${textOf(cause)}; trying again\n`);
      await Bun.sleep(retryDelayMs * 2 ** (attempt - 1));
    }
  }
}

/** Unpacks the members of an archive that start with `prefix` into `into`, without that folder. */
export async function unpack(archive: string, prefix: string, into: string): Promise<void> {
  const depth = prefix.split("/").length - (prefix.endsWith("/") ? 1 : 0);
  const strip = `--strip-components=${prefix.endsWith("/") ? depth : depth - 1}`;
  // The archive comes through stdin: some tars read the colon of `C:\…` as a host name.
  await capture(["tar", "-xzf", "-", strip, prefix.replace(/\/$/, "")], {
    cwd: into,
    stdin: Bun.file(archive),
  });
}

class IntegrityError extends Error {}

interface Download {
  url: string;
  file: string;
  pin: Pin;
}

async function download({ url, file, pin }: Download): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  const progress = new Progress(`downloading ${basename(file)}`);
  try {
    await receive(url, part, progress);
    const integrity = await integrityOf(part);
    if (integrity !== pin.integrity) {
      throw new IntegrityError(`its checksum is ${integrity}, expected ${pin.integrity}`);
    }
    await rename(part, file);
    progress.done();
  } catch (cause) {
    progress.fail();
    await rm(part, { force: true });
    throw cause;
  }
}

async function receive(url: string, part: string, progress: Progress): Promise<void> {
  const controller = new AbortController();
  let timer = setTimeout(() => controller.abort(), IDLE_TIMEOUT_MS);
  const sink = Bun.file(part).writer();
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok || response.body === null) {
      throw new Error(`the registry answered ${response.status} ${response.statusText}`);
    }
    const total = Number(response.headers.get("content-length") ?? 0);
    let received = 0;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(), IDLE_TIMEOUT_MS);
      received += chunk.byteLength;
      if (received > SIZE_BYTES_MAX) throw new Error("it is larger than expected");
      sink.write(chunk);
      await sink.flush();
      const detail = `${megabytes(received)}${total > 0 ? ` of ${megabytes(total)}` : ""}`;
      progress.update(total > 0 ? received / total : 0, detail);
    }
  } finally {
    clearTimeout(timer);
    await sink.end();
  }
}

async function addressOf({ name, version }: Pin): Promise<string> {
  const argv = [process.execPath, "info", `${name}@${version}`, "dist.tarball"];
  const answer = (await capture(argv, { cwd: join(import.meta.dir, "../..") })).trim();
  if (URL.canParse(answer)) return answer;
  throw new Error(`Asking the registry for ${name}@${version}: ${answer || "no answer"}.`);
}

/** The checksum of a file as `sha512-…`. */
export async function integrityOf(file: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha512");
  for await (const chunk of Bun.file(file).stream()) hash.update(chunk);
  return `sha512-${hash.digest("base64")}`;
}

function explained(pin: Pin, file: string, cause: unknown): Error {
  const message = `Downloading ${pin.name}@${pin.version}: ${textOf(cause)}. Check the network and \
the registry setting, or put the package's archive at ${file} yourself.`;
  return new Error(message, { cause });
}

function textOf(cause: unknown): string {
  if (cause instanceof Error && cause.name === "AbortError") return "no data for 60 s";
  return errorMessage(cause);
}
