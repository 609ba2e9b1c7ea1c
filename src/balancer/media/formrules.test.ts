import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { readForm } from "../../http/server/form.ts";
import { routeAt } from "../../testkit/route.ts";
import { ApiError } from "../../wire/error.ts";
import { isAudio } from "./audio.ts";
import { formRules } from "./formrules.ts";

const PNG = new Uint8Array(
  readFileSync(new URL("../../../fixtures/images/shape.png", import.meta.url)),
);
const WAV = new Uint8Array(Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVEfmt "), Buffer.alloc(100)]));
const MIB = 1024 * 1024;

type Entry = [string, string | File];

function file(bytes: Uint8Array<ArrayBuffer>, name: string): File {
  return new File([bytes], name);
}

function rulesAt(path: string) {
  const { form } = routeAt(path);
  if (form === undefined) throw new Error(`${path} takes no form.`);
  return formRules(form);
}

async function read(path: string, entries: Entry[]) {
  const data = new FormData();
  for (const [name, value] of entries) data.append(name, value);
  const request = new Request("http://a/", { method: "POST", body: data });
  return readForm(request, rulesAt(path));
}

/** How a form that must be refused is refused: status, code, field, message. */
async function refusal(path: string, entries: Entry[]): Promise<string> {
  try {
    await (await read(path, entries)).close();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return `${error.status} ${error.code} ${error.param} ${error.message}`;
  }
  throw new Error("it was taken");
}

const MODEL: Entry = ["model", "m"];
const AUDIO: Entry = ["file", file(WAV, "a.wav")];
const IMAGE: Entry = ["image", file(PNG, "a.png")];
const PROMPT: Entry = ["prompt", "a cat"];

describe.each(["/v1/audio/transcriptions", "/v1/audio/translations"] as const)("%s", (path) => {
  test("takes a file and a model in either order, and fields that nobody knows", async () => {
    for (const entries of [
      [MODEL, AUDIO],
      [AUDIO, MODEL],
      [AUDIO, ["unknown", "x"], MODEL, ["response_format", "verbose_json"]],
      [MODEL, ["file", file(new Uint8Array(3), "unknown.mp3")]],
      [MODEL, ["file", file(WAV, "without-extension")]],
    ] satisfies Entry[][]) {
      const form = await read(path, entries as Entry[]);
      expect(form.field("model")?.value).toBe("m");
      await form.close();
    }
  });

  const large = file(new Uint8Array(25 * MIB + 1), "a.wav");
  const text = file(new TextEncoder().encode("just a text file"), "a.txt");
  test.each([
    ["no file", [MODEL], "400 invalid_request file Missing required field: file"],
    ["no model", [AUDIO], "400 invalid_request model Missing required field: model"],
    ["an empty model", [AUDIO, ["model", " "]], "400 invalid_request model"],
    ["two models", [MODEL, ["model", "n"], AUDIO], "400 duplicate_key model"],
    ["a text as file", [MODEL, ["file", "text"]], "Missing required field: file"],
    ["another kind of file", [MODEL, ["file", text]], "400 unsupported_format file"],
    ["nothing in the file", [MODEL, ["file", file(new Uint8Array(0), "a")]], "is empty"],
    ["another format", [["response_format", "pdf"], MODEL, AUDIO], "one of json, text"],
    ["too large a file", [["file", large], MODEL], "413 body_too_large file"],
  ] as [string, Entry[], string][])("refuses %s", async (_, entries, expected) => {
    expect(await refusal(path, entries)).toContain(expected);
  });
});

describe("/v1/images/edits", () => {
  const path = "/v1/images/edits";

  test("takes one image or several, a mask, and no model", async () => {
    const form = await read(path, [IMAGE, PROMPT, ["mask", file(PNG, "m.png")], ["n", "10"]]);
    expect(form.field("model")).toBeUndefined();
    await form.close();
    const several: Entry[] = [0, 1].map(() => ["image[]", file(PNG, "a.png")]);
    await (await read(path, [MODEL, ...several, PROMPT, ["size", "512x512"]])).close();
  });

  const large: Entry = ["image", file(new Uint8Array(4 * MIB + 1), "a.png")];
  const text: Entry = ["image", file(new TextEncoder().encode("text"), "a.png")];
  test.each([
    ["no image", [PROMPT], "400 invalid_request image Missing required field: image"],
    ["no prompt", [IMAGE], "400 invalid_request prompt Missing required field: prompt"],
    ["an empty prompt", [IMAGE, ["prompt", ""]], "prompt` is empty"],
    ["n of 0", [IMAGE, PROMPT, ["n", "0"]], "400 invalid_request n"],
    ["n of 11", [IMAGE, PROMPT, ["n", "11"]], "from 1 to 10"],
    ["no size", [IMAGE, PROMPT, ["size", "big"]], "400 invalid_request size"],
    ["no format", [IMAGE, PROMPT, ["response_format", "gif"]], "one of url, b64_json"],
    ["no image in the file", [text, PROMPT], "400 unsupported_format image"],
    [
      "too large an image",
      [large, PROMPT],
      "400 image_too_large image Image file exceeds maximum size of 4MB",
    ],
  ] as [string, Entry[], string][])("refuses %s", async (_, entries, expected) => {
    expect(await refusal(path, entries)).toContain(expected);
  });
});

test("/v1/images/variations needs an image and nothing else", async () => {
  await (await read("/v1/images/variations", [IMAGE])).close();
  expect(await refusal("/v1/images/variations", [PROMPT])).toContain("field: image");
});

test("audio is known by its first bytes", () => {
  const heads: [string, boolean][] = [
    ["fLaC________", true],
    ["OggS________", true],
    ["ID3_________", true],
    ["\0\0\0 ftypM4A ", true],
    ["\x1aE\xdf\xa3________", true],
    ["\xff\xfb\x90________", true],
    ["\xff\xf3\x40________", true],
    ["\xff\xfe<\0x\0m\0l\0", false],
    ["RIFF____WEBP", false],
    ["%PDF-1.7____", false],
  ];
  for (const [head, expected] of heads) {
    expect([head, isAudio(Buffer.from(head, "latin1"), "x", true)]).toEqual([head, expected]);
  }
  expect(isAudio(Buffer.from("RIF"), "x", false)).toBeUndefined();
});
