import type { ZodType } from "zod";
import { ApiError } from "../wire/error.ts";
import type { AppContext } from "./app.ts";

/** A JSON request body: the bytes as they came and what the schema read of them. */
export interface JsonBody<T> {
  bytes: Uint8Array<ArrayBuffer>;
  value: T;
}

/**
 * Reads a JSON object body of at most `limitBytes` and checks it with `schema`.
 * Throws 415 for another content type, 413 for too many bytes, 400 for anything else that is wrong.
 */
export async function readJson<T>(
  c: AppContext,
  schema: ZodType<T>,
  limitBytes: number,
): Promise<JsonBody<T>> {
  requireJson(c.req.header("content-type"));
  const bytes = await readBytes(c.req.raw, limitBytes);
  return { bytes, value: parseJson(bytes, schema) };
}

/** Reads a whole body of at most `limitBytes`; throws 413 beyond, 400 if the client breaks off. */
export async function readBytes(
  request: Request,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limitBytes) throw tooLarge(limitBytes);
  try {
    if (declared !== null) return new Uint8Array(await request.arrayBuffer());
    return await readCapped(request.body, limitBytes);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError("invalid_request", "Reading the request body failed: it ended early.", {
      code: "body_incomplete",
      cause,
    });
  }
}

async function readCapped(
  body: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function tooLarge(limitBytes: number): ApiError {
  const message = `The request body is too large: at most ${limitBytes} bytes are accepted here.`;
  return new ApiError("body_too_large", message);
}

function requireJson(contentType: string | undefined): void {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === undefined || type === "application/json" || type.endsWith("+json")) return;
  const message = `The content type ${type} is not supported on this route: send application/json.`;
  throw new ApiError("unsupported_media_type", message);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson<T>(bytes: Uint8Array, schema: ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    const reason = bytes.byteLength === 0 ? "it is empty" : "it is not valid JSON in UTF-8";
    const message = `The request body could not be read: ${reason}.`;
    throw new ApiError("invalid_request", message, { code: "invalid_json", cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    const message = "The request body could not be read: it must be a JSON object.";
    throw new ApiError("invalid_request", message, { code: "invalid_json" });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join(".") ?? "";
  throw new ApiError("invalid_request", `The request is invalid: ${issue?.message ?? ""}.`, {
    ...(param === "" ? {} : { param }),
  });
}
