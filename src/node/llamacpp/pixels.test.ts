import { expect, test } from "bun:test";
import { pngChunk, pngFile } from "../../testkit/images.ts";
import { engineChat, engineCompletion } from "./enginebody.ts";

/** Of so many pixels, as it claims; nothing of it would be read. */
function claims(width: number, height: number): string {
  return pngFile(width, height, [pngChunk("IDAT", Buffer.alloc(1))]).toString("base64");
}

function chat(...images: string[]) {
  const content = images.map((data) => ({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${data}` },
  }));
  return { messages: [{ role: "user", content }] };
}

const side = (mib: number) => claims(1024, 1024 * mib);

test("images of as many pixels as there may be are left to the engine", () => {
  const request = chat(side(64), side(64), side(64), side(64));
  expect(engineChat(request)).toBe(request);
  const prompt = { prompt: { prompt_string: "a", multimodal_data: [side(64)] } };
  expect(engineCompletion(prompt)).toBe(prompt);
});

test.each([
  ["an image", chat(side(1), claims(20_000, 20_000)), "messages.0.content.1.image_url"],
  [
    "all together",
    chat(side(64), side(64), side(64), side(65 - 1), side(1)),
    "messages.0.content.4",
  ],
] as const)("more are refused, of %s", (_, request, param) => {
  const more = { code: "too_many_pixels", status: 400, param: expect.stringContaining(param) };
  expect(() => engineChat(request)).toThrow(expect.objectContaining(more));
});

test("more are refused beside a prompt, too", () => {
  const multimodal_data = [claims(20_000, 20_000)];
  const more = { code: "too_many_pixels", param: "prompt" };
  for (const prompt of [
    { prompt_string: "a", multimodal_data },
    [{ prompt_string: "a", multimodal_data }],
  ]) {
    expect(() => engineCompletion({ prompt })).toThrow(expect.objectContaining(more));
  }
});
