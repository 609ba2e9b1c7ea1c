import type { ZodType } from "zod";
import { ApiError } from "../../wire/error.ts";
import type { AppContext } from "./scope.ts";

/** The query of a request. Throws 400 that names the wrong parameter. */
export function readQuery<T>(c: AppContext, schema: ZodType<T>): T {
  const result = schema.safeParse(c.req.query());
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join(".") ?? "";
  const message = `The request is invalid: the query parameter \`${param}\` is wrong: \
${issue?.message ?? ""}.`;
  throw new ApiError("invalid_request", message, { param });
}

/** A name from a path: its slashes and colons may be written as they are, or percent-encoded. */
export function decodedName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // Not percent-encoding: then it is the name itself, or no name at all.
  }
}
