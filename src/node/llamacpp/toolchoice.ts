import { z } from "zod";
import { ApiError } from "../../wire/error.ts";

/** A choice among tools that is not just a word. */
const Chosen = z.discriminatedUnion("type", [
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
 * A chat whose `tool_choice` names tools, with only those: llama.cpp (v0.5.0) takes such a choice
 * for `auto`. The same object if there is none. Throws `invalid_request` for a choice of another
 * kind, and for tools that are not among `tools`.
 */
export function withChosenTools(chat: Record<string, unknown>): Record<string, unknown> {
  const { tool_choice: choice, tools } = chat;
  if (typeof choice !== "object" || choice === null) return chat;
  const chosen = Chosen.safeParse(choice).data;
  if (chosen === undefined) {
    const kinds = "a function by its name, or of `allowed_tools`";
    throw invalid("tool_choice", `must be \`auto\`, \`none\`, \`required\`, a choice of ${kinds}`);
  }
  const known = Tools.safeParse(tools).data ?? [];
  const [mode, names] = wanted(chosen);
  for (const name of names) {
    if (known.some((tool) => tool.function.name === name)) continue;
    throw invalid("tool_choice", `names ${JSON.stringify(name)}, which is not in \`tools\``);
  }
  const shown = known.filter((tool) => names.includes(tool.function.name));
  return { ...chat, tools: shown, tool_choice: mode };
}

function wanted(chosen: z.infer<typeof Chosen>): [mode: string, names: string[]] {
  if (chosen.type === "function") return ["required", [chosen.function.name]];
  const { mode, tools } = chosen.allowed_tools;
  return [mode, tools.map((tool) => tool.function.name)];
}

function invalid(param: string, reason: string): ApiError {
  const message = `The request is invalid: \`${param}\` ${reason}.`;
  return new ApiError("invalid_request", message, { param });
}
