import type { App } from "../../http/server/app.ts";
import { openApiDocument } from "./document.ts";
import { documentPage, PAGE_POLICY } from "./page.ts";

/** `GET /api/openapi.json`: what all routes of the app take and answer; `/api/docs`: for people. */
export function routeOpenApi(app: App): void {
  let made: { json: string; page: Promise<string> } | undefined;
  // Made for the first who asks: the other routes are there by then.
  const content = () => {
    if (made !== undefined) return made;
    const own = app.routes.filter(({ method }) => method !== "ALL");
    const document = openApiDocument(own.map(({ method, path }) => `${method} ${path}`));
    made = { json: JSON.stringify(document), page: documentPage(document) };
    return made;
  };
  const headers = { "cache-control": "no-cache" };
  app.get("/api/openapi.json", function sendDocument(c) {
    return c.body(content().json, 200, { ...headers, "content-type": "application/json" });
  });
  app.get("/api/docs", async function sendDocumentPage(c) {
    const type = "text/html; charset=utf-8";
    const policy = { "content-security-policy": PAGE_POLICY };
    return c.body(await content().page, 200, { ...headers, ...policy, "content-type": type });
  });
}
