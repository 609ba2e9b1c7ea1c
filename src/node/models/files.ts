import type { App } from "../../http/server/app.ts";
import type { AppContext } from "../../http/server/scope.ts";
import type { ModelStore } from "../../storage/modelstore.ts";
import { ApiError } from "../../wire/error.ts";

/**
 * Adds the route from which other nodes fetch model files: `GET` and `HEAD
 * /api/models/files/{model}/{file}`, with the model's slashes as `%2F`. Sends only verified files,
 * with their SHA-256 as ETag, and one range of them at most (RFC 9110, 14). `keyCheck` checks the
 * key or ticket before.
 */
export function addFileRoutes(app: App, store: ModelStore): void {
  for (const root of ["/api", "/v0"]) {
    app.get(`${root}/models/files/:model/:file`, async (c) => {
      const file = await store.verifiedFile(c.req.param("model"), c.req.param("file"));
      if (file === undefined) throw fileNotFound(c.req.param("model"), c.req.param("file"));
      return sendFile(c, file.path, { sizeBytes: file.sizeBytes, etag: `"${file.sha256}"` });
    });
  }
}

function fileNotFound(model: string, file: string): ApiError {
  const message = `The file ${JSON.stringify(file.slice(0, 200))} of ${JSON.stringify(
    model.slice(0, 200),
  )} cannot be sent: this node has no verified one. Fetch it from the hub.`;
  return new ApiError("not_found", message, { code: "file_not_found", param: "file" });
}

function sendFile(
  c: AppContext,
  path: string,
  { sizeBytes, etag }: { sizeBytes: number; etag: string },
): Response {
  const headers = { etag, "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
  const file = Bun.file(path);
  const range = rangeOf(c.req.header("range"), sizeBytes);
  const ifRange = c.req.header("if-range");
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) {
    return new Response(file, { headers: { ...headers, "content-length": String(sizeBytes) } });
  }
  if (range === "unsatisfiable") {
    return c.body(null, 416, { ...headers, "content-range": `bytes */${sizeBytes}` });
  }
  const [start, end] = range;
  const content = `bytes ${start}-${end - 1}/${sizeBytes}`;
  return new Response(file.slice(start, end), {
    status: 206,
    headers: { ...headers, "content-range": content },
  });
}

/** The range that a `Range` header names; undefined for the whole file, as for several ranges. */
function rangeOf(
  header: string | undefined,
  sizeBytes: number,
): [start: number, end: number] | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const end = from === "" || to === "" ? sizeBytes : Math.min(sizeBytes, Number(to) + 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  return start < end ? [start, end] : "unsatisfiable";
}
