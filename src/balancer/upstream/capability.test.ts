import { describe, expect, test } from "bun:test";
import { routeAt } from "../../testkit/route.ts";
import { readCapabilities } from "../../wire/capability.ts";
import { ApiError } from "../../wire/error.ts";
import { effectiveCapabilities } from "../health/modelcapability.ts";
import { capabilityRequirement } from "../inference/requirements.ts";
import { capabilityOf, isCapable, requireCapability } from "./capability.ts";
import { Endpoint } from "./endpoint.ts";

/** An endpoint that lists this entry, and that an operator declared to be for these. */
function endpoint(entry: { id: string; capabilities?: unknown }, declared?: string[]): Endpoint {
  const facts = declared === undefined ? {} : { capabilities: declared };
  const made = new Endpoint({ name: "e", url: "http://e", ...facts });
  const { id } = entry;
  const capabilities = effectiveCapabilities(id, readCapabilities(entry.capabilities));
  made.models = new Map([[id, { id, ...capabilities }]]);
  made.served = new Map([["m", entry.id]]);
  return made;
}

const CHAT = ["chat", "completion", "vision"] as const;

describe("what a request needs", () => {
  test.each([
    ["/v1/chat/completions", false, "chat"],
    ["/v1/chat/completions", true, "vision"],
    ["/v1/messages", true, "vision"],
    ["/api/generate", true, "vision"],
    ["/v1/completions", false, "completion"],
    ["/v1/embeddings", false, "embeddings"],
    ["/v1/rerank", false, "rerank"],
    ["/v1/audio/transcriptions", false, "speech_to_text"],
    ["/v1/audio/speech", false, "text_to_speech"],
    ["/v1/images/edits", true, "image_generation"],
  ] as const)("at %s, with images %p, is %s", (path, images, capability) => {
    expect(capabilityOf(routeAt(path), images)).toBe(capability);
  });
});

describe("a model of which nothing is known", () => {
  test("may be able to do anything", () => {
    for (const capability of [...CHAT, "embeddings", "speech_to_text", "rerank"] as const) {
      expect(isCapable(endpoint({ id: "mystery" }), "m", capability)).toBe(true);
    }
  });

  test("cannot do what an operator did not declare of its endpoint, if anything was", () => {
    const declared = endpoint({ id: "mystery" }, ["embeddings", "audio_transcription"]);
    expect(CHAT.map((capability) => isCapable(declared, "m", capability))).toEqual([
      false,
      false,
      false,
    ]);
    expect(isCapable(declared, "m", "embeddings")).toBe(true);
    expect(isCapable(declared, "m", "speech_to_text")).toBe(true);
    expect(isCapable(declared, "m", "text_to_speech")).toBe(false);
    // There is no word to declare it by.
    expect(isCapable(declared, "m", "rerank")).toBe(true);
  });
});

test("an endpoint is believed, by the name it has for the model", () => {
  const sees = endpoint({ id: "a", capabilities: ["completion", "vision"] });
  const blind = endpoint({ id: "a", capabilities: { image_understanding: false } });
  expect([isCapable(sees, "m", "vision"), isCapable(blind, "m", "vision")]).toEqual([true, false]);
  expect([isCapable(sees, "m", "chat"), isCapable(blind, "m", "chat")]).toEqual([true, true]);
  const embeds = endpoint({ id: "a", capabilities: ["embedding"] });
  expect(CHAT.map((capability) => isCapable(embeds, "m", capability))).toEqual([
    false,
    false,
    false,
  ]);
  expect(isCapable(embeds, "m", "embeddings")).toBe(true);
});

test("names that leave no doubt are believed, unless the endpoint says otherwise", () => {
  for (const id of ["nomic-embed-text", "openai/whisper-large-v3", "dall-e-3"]) {
    expect(isCapable(endpoint({ id }), "m", "chat")).toBe(false);
  }
  for (const id of ["tts-chat", "bge-reranker", "flux-writer"]) {
    expect(isCapable(endpoint({ id }), "m", "chat")).toBe(true);
  }
  const odd = endpoint({ id: "whisper-chat", capabilities: ["completion"] });
  expect(isCapable(odd, "m", "chat")).toBe(true);
});

describe("candidates", () => {
  const sees = endpoint({ id: "a", capabilities: ["completion", "vision"] });
  const blind = endpoint({ id: "a", capabilities: ["completion"] });
  const unknown = endpoint({ id: "a" });
  const asked = { model: "alias", id: "m", capability: "vision" } as const;

  test("are those that may be able", () => {
    expect(requireCapability(asked, [blind, sees, unknown])).toEqual([sees, unknown]);
    expect(requireCapability(asked, [])).toEqual([]);
  });

  test.each([
    ["vision", blind, "model_not_supported", "does not support image understanding"],
    [
      "text_to_speech",
      endpoint({ id: "a" }, ["embeddings"]),
      "model_capability_mismatch",
      "does not support text-to-speech",
    ],
    [
      "chat",
      endpoint({ id: "whisper-1" }),
      "model_capability_mismatch",
      "does not support text generation",
    ],
  ] as const)("without %s are refused", (capability, candidate, code, message) => {
    let error: unknown;
    try {
      requireCapability({ ...asked, capability }, [candidate]);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, type: "invalid_request_error", code });
    expect(error).toMatchObject({ param: "model" });
    expect(String(error)).toContain(`Model 'alias' ${message}`);
  });

  test("are told apart by a need, made once for each", () => {
    const other = { key: "/v1/x", isMetBy: (one: Endpoint) => one === sees };
    const need = capabilityRequirement("vision", other);
    expect(need.key).toBe("/v1/x vision");
    expect([sees, blind, unknown].map((one) => need.isMetBy(one, "m"))).toEqual([
      ...[true, false, false],
    ]);
    expect(capabilityRequirement("vision", other)).toBe(need);
    expect(
      [sees, blind, unknown].map((one) => capabilityRequirement("vision").isMetBy(one, "m")),
    ).toEqual([...[true, false, true]]);
  });
});
