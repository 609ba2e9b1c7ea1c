import { ApiError } from "../wire/error.ts";
import type { Permission } from "../wire/permission.ts";

/** The error of somebody who may not do what he asked for; `message` says what he lacks. */
export function lacking(message: string): ApiError {
  return new ApiError("forbidden", message, { code: "insufficient_permissions" });
}

/** Those of some permissions that somebody does not have. */
export function beyond(
  own: ReadonlySet<Permission>,
  wanted: readonly Permission[],
): readonly Permission[] {
  return wanted.filter((one) => !own.has(one));
}
