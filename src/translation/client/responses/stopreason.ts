import type { ResponseProgress } from "./response.ts";

/** The status of a finished response, and why it is incomplete, for a finish reason of a chat. */
export function responseStatus(
  finishReason: string | null | undefined,
): { status: "completed" | "incomplete" } & Pick<ResponseProgress, "reason"> {
  if (finishReason === "length") return { status: "incomplete", reason: "max_output_tokens" };
  if (finishReason === "content_filter") return { status: "incomplete", reason: "content_filter" };
  return { status: "completed" };
}
