import { expect, test } from "bun:test";
import { routeAt } from "../../testkit/route.ts";
import { findImages, hasImages } from "./requestimage.ts";

const URL_A = "data:image/png;base64,AAAA";

/** What is found: field and source, as text. */
function found(request: object, path: string): string[] {
  return findImages(request, routeAt(path)).map(({ param, source }) => {
    const text = source.kind === "url" ? source.url : `${source.mediaType}:${source.data}`;
    return `${param} ${text}`;
  });
}

test("parts of chat completions, with the address as text or in an object", () => {
  const text = { type: "text", text: "hi" };
  const request = {
    messages: [
      { role: "system", content: "s" },
      { role: "user", content: [text, { type: "image_url", image_url: { url: URL_A } }] },
      { role: "assistant", content: null },
      { role: "tool", content: [{ type: "image_url", image_url: "http://a/b" }] },
    ],
  };
  expect(found(request, "/v1/chat/completions")).toEqual([
    `messages.1.content.1.image_url ${URL_A}`,
    "messages.3.content.0.image_url http://a/b",
  ]);
});

test("items of responses, what functions and computers gave included", () => {
  const image = { type: "input_image", image_url: URL_A, detail: "auto" };
  const request = {
    input: [
      { role: "user", content: [image, { type: "input_image", file_id: "f" }] },
      { type: "function_call_output", call_id: "c", output: [image] },
      {
        type: "computer_call_output",
        output: { type: "computer_screenshot", image_url: "http://a" },
      },
    ],
  };
  expect(found(request, "/v1/responses")).toEqual([
    `input.0.content.0.image_url ${URL_A}`,
    `input.1.output.0.image_url ${URL_A}`,
    "input.2.output.image_url http://a",
  ]);
  expect(found({ input: "text" }, "/v1/responses")).toEqual([]);
});

test("blocks of Anthropic's messages, in tool results and documents too", () => {
  const base64 = { type: "base64", media_type: "image/png", data: "AAAA" };
  const image = { type: "image", source: base64 };
  const remote = { type: "image", source: { type: "url", url: "https://a/b" } };
  const document = { type: "document", source: { type: "content", content: [image] } };
  const request = {
    messages: [
      { role: "user", content: [image, { type: "image", source: { type: "file", file_id: "f" } }] },
      { role: "user", content: [{ type: "tool_result", content: [remote] }, document] },
    ],
  };
  for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
    expect(found(request, path)).toEqual([
      "messages.0.content.0.source image/png:AAAA",
      "messages.1.content.0.content.0.source https://a/b",
      "messages.1.content.1.source.content.0.source image/png:AAAA",
    ]);
  }
});

test("images of Ollama's API", () => {
  const chat = { messages: [{ role: "user", content: "x", images: ["AAAA", "BBBB"] }] };
  expect(found(chat, "/api/chat")).toEqual([
    "messages.0.images.0 undefined:AAAA",
    "messages.0.images.1 undefined:BBBB",
  ]);
  expect(found({ images: ["AAAA"] }, "/api/generate")).toEqual(["images.0 undefined:AAAA"]);
});

test("replacing leaves everything else as it is", () => {
  const request = {
    messages: [
      { content: [{ type: "image_url", image_url: { url: "http://a", detail: "low" }, x: 1 }] },
      { content: [{ type: "input_image", image_url: "http://a" }] },
      { content: [{ type: "image", source: { type: "url", url: "http://a" }, cache_control: {} }] },
    ],
  };
  for (const part of findImages(request, routeAt("/v1/messages")))
    part.replace("image/gif", "R0lG");
  const url = "data:image/gif;base64,R0lG";
  const source = { type: "base64", media_type: "image/gif", data: "R0lG" };
  expect(request.messages as object[]).toEqual([
    { content: [{ type: "image_url", image_url: { url, detail: "low" }, x: 1 }] },
    { content: [{ type: "input_image", image_url: url }] },
    { content: [{ type: "image", source, cache_control: {} }] },
  ]);
});

test("odd shapes are no images, and deep ones end", () => {
  let deep: object = { type: "image_url", image_url: URL_A };
  for (let i = 0; i < 100; i += 1) deep = { type: "tool_result", content: [deep] };
  const odd = [null, 7, "image_url", [], { type: "image_url" }, { type: "image", source: 7 }, deep];
  const request = { messages: [...odd, { content: odd }, { content: 7, images: [7, {}] }] };
  for (const path of ["/v1/chat/completions", "/v1/responses", "/api/generate", "/v1/embeddings"]) {
    expect(hasImages(request, routeAt(path))).toBe(false);
    expect(hasImages({ messages: 7, input: {}, images: "x" }, routeAt(path))).toBe(false);
  }
  expect(hasImages({ messages: [{ content: "", images: ["A"] }] }, routeAt("/api/chat"))).toBe(
    true,
  );
});
