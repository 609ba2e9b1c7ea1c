import type { App } from "../../http/server/app.ts";
import type { AppContext } from "../../http/server/scope.ts";
import { ApiError } from "../../wire/error.ts";
import { type BundledFile, type Coding, unpackBundle } from "./bundle.ts";
import { BUNDLE_FILE } from "./bundlefile.ts";

const BASE = "/dashboard";
const PAGE = "page.html";
/** What it is called in a bundle changes with its content. */
const IMMUTABLE = "public, max-age=31536000, immutable";

/**
 * The dashboard: its files below `/dashboard/assets`, and its one page at every other path there,
 * which shows the screen that the path names. Everybody may have them; what they show is asked for
 * with the reader's own rights.
 */
export function routeDashboardFiles(app: App, bundleFile = BUNDLE_FILE): void {
  let loading: Promise<Map<string, BundledFile>> | undefined;
  const files = () => {
    loading ??= readBundle(bundleFile).catch((cause) => {
      loading = undefined;
      throw cause;
    });
    return loading;
  };

  app.get(`${BASE}/assets/*`, async function sendAsset(c) {
    const path = c.req.path.slice(BASE.length + 1);
    const file = (await files()).get(path);
    if (file !== undefined) return answer(c, file, IMMUTABLE);
    const message = `There is no file ${path.slice(0, 200)} of the dashboard: reload the page.`;
    throw new ApiError("not_found", message, { code: "file_not_found" });
  });

  for (const path of [BASE, `${BASE}/*`]) {
    app.get(path, async function sendPage(c) {
      const page = (await files()).get(PAGE);
      if (page === undefined) throw new Error(`${bundleFile} has no page.`);
      return answer(c, page, "no-cache");
    });
  }
}

async function readBundle(path: string): Promise<Map<string, BundledFile>> {
  const file = Bun.file(path);
  if (!(await file.exists())) {
    const message = "The dashboard was not built here: start llmlb with npm start, which does it.";
    throw new ApiError("unavailable", message, { code: "dashboard_missing" });
  }
  return unpackBundle(await file.bytes());
}

function answer(c: AppContext, file: BundledFile, cacheControl: string): Response {
  const coding = codingFor(c.req.header("accept-encoding") ?? "", file);
  const etag = `"${file.etag}${coding === "identity" ? "" : `-${coding}`}"`;
  const headers = new Headers({ "cache-control": cacheControl, vary: "accept-encoding", etag });
  if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
  headers.set("content-type", file.type);
  if (coding !== "identity") headers.set("content-encoding", coding);
  return new Response(file.bodies[coding] ?? file.bodies.identity, { headers });
}

/** The smallest coding of a file that a client takes. */
function codingFor(accepted: string, { bodies }: BundledFile): Coding {
  const taken = accepted.split(",").flatMap((part) => {
    const [name = "", weight = ""] = part.split(";").map((text) => text.trim().toLowerCase());
    return /^q=0(\.0*)?$/.test(weight) ? [] : [name];
  });
  const usable = (["br", "gzip"] as const).filter((one) => taken.includes(one));
  return usable.find((one) => bodies[one] !== undefined) ?? "identity";
}
