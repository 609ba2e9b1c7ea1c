import { describe, expect, test } from "bun:test";
import type { ZodType } from "zod";
import { ImageRequest, SpeechRequest } from "./media.ts";

/** The first fault of a body; undefined if it is taken. */
function faultOf(schema: ZodType, body: object): string | undefined {
  const result = schema.safeParse(body);
  if (result.success) {
    // What is taken stays as it is: unknown fields survive, and nothing is added.
    expect(result.data as object).toEqual(body);
    return undefined;
  }
  return result.error.issues[0]?.message;
}

describe("a request for speech", () => {
  const good = { model: "tts", input: "hello" };

  test.each([
    {},
    { voice: "nova", response_format: "mp3", speed: 0.25 },
    { voice: { id: "mine" }, speed: 4, instructions: "softly", unknown: [1] },
    { input: "é".repeat(4096), voice: null, speed: null },
  ])("with %j is taken", (more) => {
    expect(faultOf(SpeechRequest, { ...good, ...more })).toBeUndefined();
  });

  test.each([
    [{ model: undefined }, "`model` is required"],
    [{ input: undefined }, "`input` is required"],
    [{ input: "" }, "`input` must not be empty"],
    [{ input: " \n" }, "`input` must not be empty"],
    [{ input: "x".repeat(4097) }, "at most 4096 characters"],
    [{ speed: 0.2 }, "0.25 to 4.0"],
    [{ speed: 4.1 }, "0.25 to 4.0"],
    [{ speed: "1" }, "0.25 to 4.0"],
    [{ response_format: "exe" }, "must be one of mp3, wav"],
  ])("with %j is refused", (more, fault) => {
    expect(faultOf(SpeechRequest, { ...good, ...more })).toContain(fault);
  });
});

describe("a request for images", () => {
  const good = { prompt: "a cat" };

  test.each([
    {},
    { model: "sd", n: 10, size: "1792x1024", quality: "hd", style: "vivid" },
    { response_format: "b64_json", size: "auto", quality: "medium", seed: 7, background: "opaque" },
    { n: null, size: null, model: null },
  ])("with %j is taken", (more) => {
    expect(faultOf(ImageRequest, { ...good, ...more })).toBeUndefined();
  });

  test.each([
    [{ prompt: undefined }, "`prompt` is required"],
    [{ prompt: "" }, "`prompt` must not be empty"],
    [{ n: 0 }, "from 1 to 10"],
    [{ n: 11 }, "from 1 to 10"],
    [{ n: 1.5 }, "from 1 to 10"],
    [{ size: "large" }, "like 1024x1024"],
    [{ size: "0x5" }, "like 1024x1024"],
    [{ response_format: "png" }, "must be one of url, b64_json"],
    [{ model: "" }, "`model` must not be empty"],
  ])("with %j is refused", (more, fault) => {
    expect(faultOf(ImageRequest, { ...good, ...more })).toContain(fault);
  });
});
