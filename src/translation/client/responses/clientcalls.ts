import { parseObject } from "../../../lib/json.ts";
import type { OutputFunctionCall, OutputItem, ResponsesRequest } from "../../../wire/responses.ts";
import { type ClientTool, clientTools } from "./clienttools.ts";
import type { ResponsesEvent } from "./output.ts";

/**
 * The calls of an answer in the words of the client's own tools: those that take a text are called
 * with that text, those of a group name it.
 */
export class ClientCalls {
  readonly #request: ResponsesRequest;
  #tools: Map<string, ClientTool> | undefined;
  /** By the ids of their items. */
  readonly #open = new Map<string, OutputFunctionCall>();

  constructor(request: ResponsesRequest) {
    this.#request = request;
  }

  items(items: readonly OutputItem[]): OutputItem[] {
    return items.map((item) => this.#item(item));
  }

  /** The events that a client gets for one of a function's call; others are as they are. */
  events(event: ResponsesEvent): readonly ResponsesEvent[] {
    const { type, item, item_id, output_index } = event;
    if (type === "response.output_item.added" || type === "response.output_item.done") {
      return [{ ...event, item: this.#item(item as OutputItem, true) }];
    }
    const call = this.#open.get(String(item_id));
    if (call === undefined) return [event];
    if (!type.endsWith(".done")) return [];
    const input = textOf(call);
    const about = { item_id, output_index };
    return [
      { type: "response.custom_tool_call_input.delta", ...about, delta: input },
      { type: "response.custom_tool_call_input.done", ...about, input },
    ];
  }

  #item(item: OutputItem, isStreamed = false): OutputItem {
    if (item.type !== "function_call") return item;
    const tool = this.#toolOf(item.name);
    if (tool === undefined) return item;
    const group = tool.namespace === undefined ? {} : { namespace: tool.namespace };
    if (!tool.isCustom) return { ...item, ...group };
    if (isStreamed) this.#open.set(item.id, item);
    const { id, status, call_id, name } = item;
    return { id, type: "custom_tool_call", status, call_id, name, ...group, input: textOf(item) };
  }

  /** Tools are only looked at when one is called. */
  #toolOf(name: string): ClientTool | undefined {
    this.#tools ??= new Map(clientTools(this.#request).map((tool) => [tool.name, tool]));
    return this.#tools.get(name);
  }
}

/** The text that a tool is called with; what the model wrote where it wrote none such. */
function textOf({ arguments: args }: OutputFunctionCall): string {
  const input = parseObject(args)?.input;
  return typeof input === "string" ? input : args;
}
