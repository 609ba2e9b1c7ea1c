import { readFileSync } from "node:fs";
import { says } from "./clients.ts";

const system = (content: string) => ({ role: "system", content });
const developer = (content: string) => ({ role: "developer", content });

const PNG = readFileSync(new URL("../../fixtures/images/shape.png", import.meta.url), "base64");
/** A picture, or other base64, as a data URL. */
export const dataUrl = (data = PNG, type = "image/png") => `data:${type};base64,${data}`;
/** As some clients write it: of another type, without its padding, in lines. */
const MESSY = PNG.replace(/=+$/, "").replace(/.{76}/g, "$&\r\n");
const schema = { type: "object", properties: {} };

const image = (data = PNG, media_type = "image/png") => ({
  ...{ type: "image", source: { type: "base64", media_type, data } },
});
const use = (id: string) => ({ type: "tool_use", id, name: "f", input: {} });
const result = (tool_use_id: string, ...content: object[]) => ({
  ...{ type: "tool_result", tool_use_id, content },
});
const ownTool = { name: "f", input_schema: schema };
const search = { type: "web_search_20250305", name: "web_search" };
const assistant = (...content: object[]) => ({ role: "assistant", content });
const user = (...content: object[]) => ({ role: "user", content });
const text = (said: string) => ({ type: "text", text: said });
/** Histories of messages, by what is in them, as Claude Code and others keep them. */
export const MESSAGES: Record<string, object> = {
  "several system messages": {
    ...{ system: "a", messages: [...says("x"), system("b"), assistant(text("y")), ...says("z")] },
  },
  "a choice without tools": { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
  "hosted tools beside its own": { tools: [search, ownTool], tool_choice: { type: "auto" } },
  "what hosted tools did": {
    tools: [search, ownTool],
    messages: [
      ...says("x"),
      assistant(
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "q" } },
        { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
        use("t1"),
      ),
      user(result("t1", { type: "tool_reference", tool_name: "f" })),
    ],
  },
  "images in results of tools": {
    tools: [ownTool],
    messages: [
      ...[...says("x"), assistant(use("t1"), use("t2"))],
      user(result("t1", text("seen"), image()), result("t2", text("ok")), text("and?")),
    ],
  },
  "a dozen images over its turns": {
    messages: Array.from({ length: 12 }, () => [
      ...[user(image(), text("this?")), assistant(text("a shape"))],
    ])
      .flat()
      .concat(user(text("and?"))),
  },
  "an image to be mended": { messages: [user(image(MESSY, "image/jpeg"), text("this?"))] },
  "its thoughts": {
    messages: [
      ...says("x"),
      assistant({ type: "thinking", thinking: "hm", signature: "" }, text("y")),
      ...says("z"),
    ],
  },
};

const item = (type: string, more: object) => ({ type, ...more });
const exec = { type: "exec", command: ["ls"] };
const shellTool = { type: "function", name: "f", parameters: schema };
const patchTool = { type: "custom", name: "apply_patch", description: "d" };
const shown = { type: "input_image", image_url: dataUrl() };
/** Histories of responses, as Codex and others keep them. */
export const RESPONSES: Record<string, object> = {
  "several system messages": {
    ...{ instructions: "a", input: [developer("b"), ...says("x"), system("c"), ...says("y")] },
  },
  "a choice without tools": { tool_choice: "auto", parallel_tool_calls: true, tools: [] },
  "hosted tools beside its own": { tools: [{ type: "web_search" }, shellTool, patchTool] },
  "what hosted tools did": {
    tools: [{ type: "web_search" }, shellTool],
    input: [
      item("additional_tools", { role: "developer", tools: [patchTool] }),
      ...says("x"),
      item("web_search_call", { id: "ws_1", status: "completed", action: { type: "search" } }),
      item("compaction", { id: "cmp_1", encrypted_content: "x" }),
      ...says("y"),
    ],
  },
  "calls of its own kinds": {
    tools: [shellTool, patchTool],
    input: [
      ...says("x"),
      item("custom_tool_call", { call_id: "c1", name: "apply_patch", input: "a" }),
      item("custom_tool_call_output", { call_id: "c1", output: "ok" }),
      item("local_shell_call", { call_id: "c2", status: "completed", action: exec }),
      item("function_call_output", { call_id: "c2", output: "a" }),
    ],
  },
  "images in results of tools": {
    tools: [shellTool],
    input: [
      ...says("x"),
      item("function_call", { call_id: "c1", name: "f", arguments: "{}" }),
      item("function_call_output", { call_id: "c1", output: [shown] }),
    ],
  },
  "a dozen images over its turns": {
    input: Array.from({ length: 12 }, () => ({ role: "user", content: [shown] })).concat({
      ...{ role: "user", content: [] },
    }),
  },
  "an image to be mended": {
    input: [{ role: "user", content: [{ ...shown, image_url: dataUrl(MESSY, "image/jpeg") }] }],
  },
  "its thoughts": {
    input: [
      ...says("x"),
      item("reasoning", {
        id: "rs_1",
        summary: [],
        content: [item("reasoning_text", { text: "hm" })],
      }),
      { role: "assistant", content: "y" },
      ...says("z"),
    ],
  },
};

const ollamaTool = { type: "function", function: { name: "f", parameters: schema } };
const ollamaCall = {
  role: "assistant",
  content: "",
  tool_calls: [{ function: { name: "f", arguments: {} } }],
};
/** Histories of Ollama's chats. */
export const OLLAMA: Record<string, object> = {
  "several system messages": { messages: [system("a"), ...says("x"), system("b"), ...says("y")] },
  "images in results of tools": {
    tools: [ollamaTool],
    messages: [
      ...says("x"),
      ollamaCall,
      { role: "tool", tool_name: "f", content: "seen", images: [PNG] },
    ],
  },
  "a dozen images over its turns": {
    messages: [
      ...Array.from({ length: 12 }, () => ({ role: "user", content: "this?", images: [PNG] })),
      ...says("and?"),
    ],
  },
  "an image to be mended": { messages: [{ role: "user", content: "this?", images: [MESSY] }] },
  "its thoughts": {
    messages: [...says("x"), { role: "assistant", content: "y", thinking: "hm" }, ...says("z")],
  },
};

const chatImage = (url = dataUrl()) => ({ type: "image_url", image_url: { url } });
const chatCalls = [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }];
/** Of plain chats: what clouds with another API are asked with. Endpoints get them as they came. */
export const CHATS: Record<string, object> = {
  "several system messages": {
    messages: [system("a"), developer("b"), ...says("x"), system("c"), ...says("y")],
  },
  "a choice without tools": { tool_choice: "auto", parallel_tool_calls: false, tools: [] },
  "hosted tools beside its own": { tools: [{ type: "web_search" }, ollamaTool] },
  "images in results of tools": {
    tools: [ollamaTool],
    messages: [
      ...[...says("x"), { role: "assistant", content: null, tool_calls: chatCalls }],
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "seen" }, chatImage()] },
    ],
  },
  "a dozen images over its turns": {
    messages: [
      ...Array.from({ length: 12 }, () => ({ role: "user", content: [chatImage()] })),
      ...says("and?"),
    ],
  },
  "an image to be mended": {
    messages: [{ role: "user", content: [chatImage(dataUrl(MESSY, "image/jpeg"))] }],
  },
  "its thoughts": {
    messages: [
      ...says("x"),
      { role: "assistant", content: "y", reasoning_content: "hm" },
      ...says("z"),
    ],
  },
};
