import type { ZodType } from "zod";
import { ApiError } from "../../wire/error.ts";
import type { AppContext } from "./scope.ts";

/** Reads the query of a request. Throws 400 that names the parameter that is wrong. */
export function readQuery<T>(c: AppContext, schema: ZodType<T>): T {
  const result = schema.safeParse(c.req.query());
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === "unrecognized_keys") throw unknownParameter(issue.keys[0] ?? "");
  const param = issue?.path.join(".") ?? "";
  const message = `The request is invalid: the query parameter \`${param}\` is wrong: \
${issue?.message ?? ""}.`;
  throw new ApiError("invalid_request", message, { param });
}

function unknownParameter(param: string): ApiError {
  const message = `The request is invalid: there is no query parameter \`${param.slice(0, 100)}\` \
here.`;
  return new ApiError("invalid_request", message, { param });
}

/** A name from a path, in which slashes and colons may be percent-encoded or not. */
export function decodedName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // It is not percent-encoded, so it is the name itself.
  }
}

/** A name for a path, as `decodedName` reads it: its slashes stay as they are. */
export function encodedName(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}
