import type { ResponsesRequest } from "../../../wire/responses.ts";
import { parseChatCompletion } from "../../chat/completion.ts";
import { ClientCalls } from "./clientcalls.ts";
import { appendChatDelta } from "./delta.ts";
import { OutputItems } from "./output.ts";
import { ResponseObject } from "./response.ts";
import { responseStatus } from "./stopreason.ts";

/** The response for a chat completion. Throws `upstream` if that cannot be read. */
export function responseFromChat(request: ResponsesRequest, json: unknown): object {
  const { completion, choice } = parseChatCompletion(json);
  const { created, usage } = completion;
  const output = new OutputItems(() => undefined);
  const { tool_calls, ...message } = choice.message;
  const calls = tool_calls?.map((call, index) => ({ index, ...call }));
  appendChatDelta(output, { ...message, tool_calls: calls }, choice.logprobs);
  const { status, reason } = responseStatus(choice.finish_reason);
  output.close(status);
  const response = new ResponseObject(request, created);
  const items = new ClientCalls(request).items(output.items);
  return response.snapshot({ status, output: items, usage, reason });
}
