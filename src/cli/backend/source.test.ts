import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "../../config/environment.ts";
import type { PluginPin } from "../../engine/plugin/pin.ts";
import { eventually } from "../../testkit/eventually.ts";
import { fetchedPackage } from "./source.ts";

/** Under npm the last one names the user's own file. */
const SETTINGS = ["npm_config_registry", "HOME", "npm_config_userconfig"];
const env = environment();
const before = SETTINGS.map((name) => env[name]);
const never = new AbortController().signal;

let home: string;
let library: Uint8Array<ArrayBuffer>;
let archive: Uint8Array<ArrayBuffer>;
let pin: PluginPin;
let registry: Bun.Server<undefined>;
/** How the registry answers whoever asks for the archive, in turn; the archive when used up. */
let answers: ((request: Request) => Response | Promise<Response>)[];
/** The ranges that it was asked for. */
let ranges: string[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "llmlb-source-"));
  library = Buffer.concat(
    Array.from({ length: 8 }, () => crypto.getRandomValues(new Uint8Array(65_536))),
  );
  mkdirSync(join(home, "package/bins"), { recursive: true });
  writeFileSync(join(home, "package/bins/a.so"), library);
  answers = [];
  ranges = [];
  registry = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  // A name of its own for each test: the package manager remembers what a registry said.
  const name = `llmlb-test-${process.pid}-${registry.port}`;
  const manifest = { name, version: "1.2.3" };
  writeFileSync(join(home, "package/package.json"), JSON.stringify(manifest));
  Bun.spawnSync(["tar", "-czf", "archive.tgz", "package"], { cwd: home });
  archive = new Uint8Array(await Bun.file(join(home, "archive.tgz")).arrayBuffer());
  const integrity = `sha512-${new Bun.CryptoHasher("sha512").update(archive).digest("base64")}`;
  const sha256 = new Bun.CryptoHasher("sha256").update(archive).digest("hex");
  pin = {
    ...{ package: name, version: "1.2.3", library: "bins/a.so", sha512: "", needs: [] },
    archive: { integrity, sha256, size_bytes: archive.byteLength },
  };
  env.npm_config_registry = registry.url.href;
  env.HOME = home;
  delete env.npm_config_userconfig;
});

afterEach(() => {
  registry.stop(true);
  rmSync(home, { recursive: true, force: true });
  for (const [i, name] of SETTINGS.entries()) {
    if (before[i] === undefined) delete env[name];
    else env[name] = before[i];
  }
});

function answer(request: Request): Response | Promise<Response> {
  if (!new URL(request.url).pathname.endsWith(".tgz")) return manifestOf(pin);
  ranges.push(request.headers.get("range") ?? "");
  return (answers.shift() ?? whole)(request);
}

function manifestOf({ package: name, version, archive: { integrity } }: PluginPin): Response {
  const dist = { tarball: `${registry.url.href}files/x.tgz`, integrity };
  const versions = { [version]: { name, version, dist } };
  return Response.json({ name, "dist-tags": { latest: version }, versions });
}

/** The archive, or the rest of it. */
function whole(request: Request): Response {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  return rangeFrom(from, new Blob([archive.subarray(from)]).stream());
}

function rangeFrom(from: number, body: ReadableStream): Response {
  const size = archive.byteLength;
  const headers = {
    "content-range": `bytes ${from}-${size - 1}/${size}`,
    "content-length": String(size - from),
    etag: '"one"',
  };
  return new Response(body, { status: 206, headers });
}

/** Sends the first half; what follows once it has been written to the disk is up to `end`. */
function half(end: (controller: ReadableStreamDefaultController) => unknown): Response {
  const size = archive.byteLength >> 1;
  const part = () => [...new Bun.Glob("**/*.part").scanSync({ cwd: home })].map(sizeOf)[0];
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(archive.subarray(0, size));
      await eventually(() => part() === size || undefined);
      await end(controller);
    },
  });
  return rangeFrom(0, body);
}

function sizeOf(name: string): number {
  return Bun.file(join(home, name)).size;
}

async function libraryOf(signal = never): Promise<Buffer> {
  const { library: blob, dispose } = await fetchedPackage(pin, { home, signal });
  const bytes = Buffer.from(await blob.arrayBuffer());
  await dispose?.();
  return bytes;
}

test("a line that is cut is taken up again where it broke off", async () => {
  answers = [() => half((controller) => controller.close())];
  expect((await libraryOf()).equals(library)).toBe(true);
  expect(ranges).toHaveLength(2);
  expect(Number(/bytes=(\d+)-/.exec(ranges[1] ?? "")?.[1])).toBeGreaterThan(0);
  expect(existsSync(join(home, "native/downloads"))).toBe(false);
});

test("what has come before an interruption is not fetched again", async () => {
  const stop = new AbortController();
  const hang = Promise.withResolvers<void>();
  answers = [
    () =>
      half(() => {
        stop.abort(new Error("stopped"));
        return hang.promise;
      }),
  ];
  await expect(libraryOf(stop.signal)).rejects.toThrow("stopped");
  hang.resolve();
  expect((await libraryOf()).equals(library)).toBe(true);
  expect(Number(/bytes=(\d+)-/.exec(ranges[1] ?? "")?.[1])).toBeGreaterThan(0);
});

test("other bytes than the pinned ones are refused", async () => {
  pin.archive.sha256 = "0".repeat(64);
  await expect(libraryOf()).rejects.toThrow("SHA-256");
});

test("a registry that wants a token gets the one of .npmrc", async () => {
  const { host } = registry.url;
  writeFileSync(join(home, ".npmrc"), `//${host}/:_authToken=secret\n`);
  const checked = (request: Request) => {
    const isAllowed = request.headers.get("authorization") === "Bearer secret";
    return isAllowed ? new Response(archive) : new Response("no", { status: 401 });
  };
  answers = [checked, checked];
  expect((await libraryOf()).equals(library)).toBe(true);
  expect(ranges).toHaveLength(2);
});
