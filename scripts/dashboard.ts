// Makes one file of `src/dashboard` that the balancer serves: `dist/dashboard.bundle`. Takes no
// time when nothing has changed since the last one.
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type BundledFile, packBundle } from "../src/balancer/dashboard/bundle.ts";
import { errorMessage } from "../src/lib/errormessage.ts";

const ROOT = join(import.meta.dir, "..");
const FILE = join(ROOT, "dist/dashboard.bundle");
const SOURCES = ["src/dashboard", "src/wire", "src/lib", "src/balancer/dashboard"];
const BASE = "/dashboard/assets/";
const SMALL_BYTES = 512;

/** Brings the bundle up to date; returns its path. */
export async function buildDashboard(file = FILE): Promise<string> {
  const hash = await sourceHash();
  const stamp = Bun.file(`${file}.json`);
  if ((await Bun.file(file).exists()) && (await hashIn(stamp)) === hash) return file;
  const files = await bundledFiles();
  await mkdir(dirname(file), { recursive: true });
  // Another process may do the same at the same time.
  const unfinished = `${file}.${process.pid}`;
  try {
    await Bun.write(unfinished, packBundle(files));
    await rename(unfinished, file);
    await Bun.write(stamp, JSON.stringify({ hash }));
  } finally {
    await rm(unfinished, { force: true });
  }
  return file;
}

async function hashIn(stamp: Bun.BunFile): Promise<string | undefined> {
  try {
    return (await stamp.json()).hash;
  } catch {
    return undefined; // not built yet
  }
}

async function sourceHash(): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const paths = ["package-lock.json", "scripts/dashboard.ts"];
  for (const folder of SOURCES) {
    for await (const path of new Bun.Glob(`${folder}/**/*`).scan({ cwd: ROOT })) paths.push(path);
  }
  for (const path of paths.sort()) {
    hash.update(`${path}\n`).update(await Bun.file(join(ROOT, path)).bytes());
  }
  return hash.digest("hex");
}

async function bundledFiles(): Promise<BundledFile[]> {
  const name = "[name]-[hash].[ext]";
  const result = await Bun.build({
    entrypoints: ["main.tsx", "theme.ts"].map((entry) => join(ROOT, "src/dashboard", entry)),
    target: "browser",
    minify: true,
    splitting: true,
    publicPath: BASE,
    // Parts must not be taken for the file that the page begins with.
    naming: { entry: name, chunk: `part-${name}`, asset: name },
    define: { "process.env.NODE_ENV": '"production"' },
    throw: false,
  });
  if (!result.success) {
    throw new Error(`Bundling src/dashboard:\n${result.logs.map(String).join("\n")}`);
  }
  const assets = await Promise.all(
    result.outputs.map(async (output) => {
      const bytes = new Uint8Array(await output.arrayBuffer());
      return bundled(`assets/${output.path.replace(/^\.?\//, "")}`, output.type, bytes);
    }),
  );
  const template = await Bun.file(join(ROOT, "src/dashboard/page.html")).text();
  const page = new TextEncoder().encode(pageOf(template, assets));
  return [bundled("page.html", "text/html; charset=utf-8", page), ...assets];
}

/** The page with the addresses of its files, whose names change with their content. */
function pageOf(template: string, assets: readonly BundledFile[]): string {
  const urlOf = (pattern: RegExp) => {
    const found = assets.find(({ path }) => pattern.test(path));
    if (found === undefined) throw new Error(`Bundling src/dashboard made no ${pattern.source}.`);
    return `/dashboard/${found.path}`;
  };
  return template
    .replace("{{style}}", urlOf(/^assets\/main-\w+\.css$/))
    .replace("{{theme}}", urlOf(/^assets\/theme-\w+\.js$/))
    .replace("{{main}}", urlOf(/^assets\/main-\w+\.js$/));
}

function bundled(path: string, type: string, bytes: Uint8Array<ArrayBuffer>): BundledFile {
  const etag = Bun.hash(bytes).toString(36);
  const bodies: BundledFile["bodies"] = { identity: bytes };
  if (bytes.length > SMALL_BYTES) {
    bodies.gzip = new Uint8Array(gzipSync(bytes, { level: 9 }));
    bodies.br = new Uint8Array(brotliCompressSync(bytes));
  }
  return { path, type, etag, bodies };
}

if (import.meta.main) {
  await buildDashboard().catch((cause) => {
    process.stderr.write(`llmlb: ${errorMessage(cause)}\n`);
    process.exit(1);
  });
}
