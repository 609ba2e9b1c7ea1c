import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { openai } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";
import { type MediaServer, mediaServer } from "../src/testkit/servers/media.ts";

setDefaultTimeout(20_000);

let studio: MediaServer;
let program: Program;
let client: OpenAI;
beforeAll(async () => {
  studio = mediaServer(["whisper-1", "tts-1", "dall-e-2", "paint"]);
  const args = ["--endpoint", `studio=${studio.url}`, "--alias", "brush=paint"];
  program = await Program.start({ mode: "balancer", args });
  client = openai(program);
});
afterAll(async () => {
  await program?.stop();
  studio?.[Symbol.dispose]();
});
beforeEach(() => {
  studio.asked.length = 0;
});

const wav = () => {
  const bytes = Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVEfmt "), Buffer.alloc(20_000)]);
  return new File([new Uint8Array(bytes)], "speech.wav", { type: "audio/wav" });
};
const png = () => {
  const bytes = readFileSync(new URL("../fixtures/images/shape.png", import.meta.url));
  return new File([new Uint8Array(bytes)], "shape.png", { type: "image/png" });
};

describe("OpenAI's client", () => {
  test("gets speech as the bytes that were made", async () => {
    const request = { model: "tts-1", input: "Héllo", voice: "alloy", speed: 1.5 } as const;
    const response = await client.audio.speech.create(request);
    expect(response.headers.get("content-type")).toBe("audio/mpeg");
    expect(await response.text()).toBe("mp3:Héllo");
    expect(studio.asked).toEqual([
      { path: "/v1/audio/speech", type: "application/json", fields: request },
    ]);
  });

  test("gets transcriptions in each of their formats", async () => {
    const { transcriptions } = client.audio;
    const asked = { model: "whisper-1", file: wav() };
    expect((await transcriptions.create(asked)).text).toBe("One two.");
    const long = await transcriptions.create({ ...asked, response_format: "verbose_json" });
    expect(long).toMatchObject({ duration: 1, segments: [{ text: "One two." }] });
    expect(await transcriptions.create({ ...asked, response_format: "srt" })).toContain("-->");
    expect(studio.asked.map(({ fields }) => fields.response_format)).toEqual([
      ...[undefined, "verbose_json", "srt"],
    ]);
    expect(studio.asked[0]).toMatchObject({
      type: "multipart/form-data",
      fields: { file: `speech.wav ${wav().size}` },
    });
  });

  test("gets a transcription as a stream", async () => {
    const asked = { model: "whisper-1", file: wav(), stream: true } as const;
    const events = await Array.fromAsync(await client.audio.transcriptions.create(asked));
    expect(events.map(({ type }) => type)).toEqual([
      ...["transcript.text.delta", "transcript.text.delta", "transcript.text.done"],
    ] as (typeof events)[number]["type"][]);
  });

  test("gets translations", async () => {
    const asked = { model: "whisper-1", file: wav(), prompt: "A text" };
    expect((await client.audio.translations.create(asked)).text).toBe("One two.");
    expect(studio.asked[0]).toMatchObject({
      path: "/v1/audio/translations",
      fields: { prompt: "A text" },
    });
  });

  test("gets images, as many as asked for", async () => {
    const asked = { model: "paint", prompt: "A cat", n: 2, response_format: "b64_json" } as const;
    const { data } = await client.images.generate(asked);
    expect(data).toHaveLength(2);
    expect(Buffer.from(data?.[0]?.b64_json ?? "", "base64").toString()).toBe("A cat");
    expect(studio.asked[0]?.fields).toEqual(asked);
  });

  test("edits and varies images, under a model's other name", async () => {
    const image = png();
    await client.images.edit({ model: "brush", image, prompt: "A hat", mask: png(), n: 1 });
    await client.images.createVariation({ model: "brush", image });
    const file = `shape.png ${image.size}`;
    expect(studio.asked.map(({ path, fields }) => [path, fields])).toEqual([
      ["/v1/images/edits", { model: "paint", image: file, prompt: "A hat", mask: file, n: "1" }],
      ["/v1/images/variations", { model: "paint", image: file }],
    ]);
  });

  test("is refused what it asks wrongly before anybody is asked", async () => {
    const text = new File(["This is no sound."], "a.txt", { type: "text/plain" });
    const failures = [
      client.audio.transcriptions.create({ model: "whisper-1", file: text }),
      client.audio.speech.create({ model: "tts-1", input: "", voice: "alloy" }),
      client.images.generate({ model: "paint", prompt: "A cat", n: 11 }),
      client.images.generate({ model: "whisper-1", prompt: "A cat" }),
    ];
    for (const settled of await Promise.allSettled<unknown>(failures)) {
      expect(settled.status).toBe("rejected");
      if (settled.status === "rejected") {
        expect(settled.reason).toBeInstanceOf(OpenAI.BadRequestError);
      }
    }
    expect(studio.asked).toEqual([]);
  });
});
