import type { z } from "zod";
import { errorMessage } from "../../lib/errormessage.ts";
import { CSRF_COOKIE } from "../../wire/login.ts";
import { cookieOf } from "./cookie.ts";

interface CallErrorFields {
  status: number;
  code: string;
  param?: string | undefined;
  headers?: Headers;
}

/** Why a request to llmlb came to nothing. */
export class CallError extends Error {
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  readonly code: string;
  /** The field that it is about. */
  readonly param: string | undefined;
  /** Of the answer; none when there was none. */
  readonly headers: Headers;

  constructor(message: string, at: CallErrorFields) {
    super(message);
    this.status = at.status;
    this.code = at.code;
    this.param = at.param;
    this.headers = at.headers ?? new Headers();
  }
}

/** What is wrong with a field, as is said beside it; undefined: nothing, or with another one. */
export function faultOf(error: Error | null, field: string): string | undefined {
  if (!(error instanceof CallError) || error.param !== field) return undefined;
  const [, said = error.message] = error.message.split(`\`${field}\` `);
  return said;
}

/** Is told when an answer says that nobody is logged in any more. */
let onSignedOut: () => void = () => undefined;

/** Sets who is told when a log-in has ended. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export interface CallOptions {
  body?: unknown;
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
}

/** Asks llmlb, e.g. `GET /api/endpoints`, and checks its answer. Throws `CallError`. */
export async function call<T>(
  schema: z.ZodType<T>,
  route: string,
  options: CallOptions = {},
): Promise<T> {
  const response = await send(route, options);
  const parsed = schema.safeParse(await response.json());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const message = `${route}: ${issue?.path.join(".")}: ${issue?.message}`;
  throw new CallError(message, { status: response.status, code: "unexpected_answer" });
}

/** Asks llmlb for something whose answer has no body, or one that is read otherwise. */
export async function send(route: string, options: CallOptions = {}): Promise<Response> {
  const { body, signal } = options;
  const [method = "GET", path = ""] = route.split(" ");
  const headers = new Headers({ accept: "application/json", ...options.headers });
  if (body !== undefined) headers.set("content-type", "application/json");
  const token = method === "GET" ? undefined : csrfToken();
  if (token !== undefined) headers.set("x-csrf-token", token);
  let response: Response;
  try {
    response = await fetch(path, {
      ...{ method, headers, credentials: "same-origin", signal: signal ?? null },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const message = errorMessage(cause);
    throw new CallError(message, { status: 0, code: "unreachable" });
  }
  if (response.ok) return response;
  throw await errorOf(response, path);
}

/** What the cookie of a log-in wants in a header, of which only our own page knows. */
function csrfToken(): string | undefined {
  return cookieOf(CSRF_COOKIE);
}

async function errorOf(response: Response, path: string): Promise<CallError> {
  const { status, headers } = response;
  const { message, code, param } = errorIn(await response.text().catch(() => ""));
  // Wrong words at the log-in say nothing about a log-in that there is.
  if (status === 401 && path !== "/api/auth/login") onSignedOut();
  return new CallError(message ?? `${status} ${response.statusText}`, {
    ...{ status, code: code ?? "unknown", param, headers },
  });
}

interface ErrorBody {
  message?: string | undefined;
  code?: string | undefined;
  param?: string | undefined;
}

function errorIn(text: string): ErrorBody {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return { message: error };
    if (typeof error !== "object" || error === null) return {};
    const { message, code, param } = error as Record<string, unknown>;
    const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
    return { message: textOf(message), code: textOf(code), param: textOf(param) };
  } catch {
    return {}; // some proxy's page
  }
}
