import { ApiError } from "../../wire/error.ts";

/** The `ApiError` that a call throws; fails the test if it throws none. */
export function apiErrorOf(act: () => unknown): ApiError {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
