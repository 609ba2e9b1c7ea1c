import type { Scope } from "../../../http/server/scope.ts";
import { csvLine } from "./csv.ts";

export const EXPORT_FORMATS = ["csv", "json"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

type Row = Record<string, string | number | boolean | null | object>;

interface ExportOptions<R extends Row> {
  /** What the file is called, without its ending. Default: `request_history`. */
  name?: string;
  format: ExportFormat;
  /** The columns of CSV, in order. */
  columns: readonly (keyof R & string)[];
  /** The rows, in pages; the next page is made when the client has taken the one before. */
  pages: AsyncGenerator<R[]>;
}

/** A file of rows, sent page by page as the client takes it: CSV, or a list in JSON. */
export function exportResponse<R extends Row>(scope: Scope, options: ExportOptions<R>): Response {
  const { format, name = "request_history" } = options;
  const { promise: sent, resolve } = Promise.withResolvers<string>();
  scope.set("sent", sent);
  const texts = textsOf(options);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await texts.next();
          if (done !== true) return controller.enqueue(encoder.encode(value));
          controller.close();
          resolve("complete");
        } catch (error) {
          resolve("failed");
          throw error;
        }
      },
      async cancel() {
        resolve("cancelled");
        await texts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  const type = format === "csv" ? "text/csv; charset=utf-8" : "application/json";
  return new Response(body, {
    headers: {
      "content-type": type,
      "content-disposition": `attachment; filename="${name}.${format}"`,
      "cache-control": "no-store",
    },
  });
}

async function* textsOf<R extends Row>({ format, columns, pages }: ExportOptions<R>) {
  if (format === "csv") {
    yield csvLine(columns);
    for await (const rows of pages) {
      const lines = rows.map((row) => csvLine(columns.map((name) => cellValue(row[name]))));
      yield lines.join("");
    }
    return;
  }
  let before = "[";
  for await (const rows of pages) {
    if (rows.length === 0) continue;
    yield `${before}\n${rows.map((row) => JSON.stringify(row)).join(",\n")}`;
    before = ",";
  }
  yield before === "[" ? "[]\n" : "\n]\n";
}

function cellValue(value: Row[string] | undefined): string | number | boolean | null {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : (value ?? null);
}
