import { z } from "zod";
import { ApiError } from "../../wire/error.ts";

/** A `tool_choice` that names tools. */
const NamedTools = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
  z.looseObject({
    type: z.literal("allowed_tools"),
    allowed_tools: z.looseObject({
      mode: z.enum(["auto", "required"]),
      tools: z.array(
        z.looseObject({
          type: z.literal("function"),
          function: z.looseObject({ name: z.string() }),
        }),
      ),
    }),
  }),
]);

const Tools = z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) }));

/**
 * Removes all other tools from a chat whose `tool_choice` names some: llama.cpp (v0.5.0) reads such
 * a choice as `auto`. Where there are no tools, it is not said how to use them. Returns the same
 * object if there is nothing to change. Throws `invalid_request` for a choice of an unknown type,
 * for names that are not in `tools`, and for a call that is required without tools.
 */
export function withChosenTools(chat: Record<string, unknown>): Record<string, unknown> {
  const { tool_choice: choice, tools } = chat;
  if (typeof choice !== "object" || choice === null) {
    return Array.isArray(tools) && tools.length > 0 ? chat : withoutChoice(chat);
  }
  const chosen = NamedTools.safeParse(choice).data;
  if (chosen === undefined) {
    const kinds = "a function by its name, or of `allowed_tools`";
    throw invalid("tool_choice", `must be \`auto\`, \`none\`, \`required\`, a choice of ${kinds}`);
  }
  const all = Tools.safeParse(tools).data ?? [];
  const [mode, names] = modeAndNames(chosen);
  for (const name of names) {
    if (all.some((tool) => tool.function.name === name)) continue;
    throw invalid("tool_choice", `names ${JSON.stringify(name)}, which is not in \`tools\``);
  }
  const kept = all.filter((tool) => names.includes(tool.function.name));
  return { ...chat, tools: kept, tool_choice: mode };
}

/** What says how to use tools, where it is right; what is wrong stays, for the engine to refuse. */
const Usage = z.looseObject({
  tool_choice: z.enum(["auto", "none", "required"]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
});

function withoutChoice(chat: Record<string, unknown>): Record<string, unknown> {
  const { tool_choice, parallel_tool_calls, ...others } = chat;
  if (tool_choice === "required") throw invalid("tool_choice", "requires `tools`, but has none");
  if (tool_choice == null && parallel_tool_calls == null) return chat;
  return Usage.safeParse(chat).success ? others : chat;
}

function modeAndNames(chosen: z.infer<typeof NamedTools>): [mode: string, names: string[]] {
  if (chosen.type === "function") return ["required", [chosen.function.name]];
  const { mode, tools } = chosen.allowed_tools;
  return [mode, tools.map((tool) => tool.function.name)];
}

function invalid(param: string, reason: string): ApiError {
  const message = `The request is invalid: \`${param}\` ${reason}.`;
  return new ApiError("invalid_request", message, { param });
}
