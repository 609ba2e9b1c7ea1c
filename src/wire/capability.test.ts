import { expect, test } from "bun:test";
import { capabilitiesObject, readCapabilities } from "./capability.ts";

test("the object says of each ability whether a model has it", () => {
  expect(capabilitiesObject(["chat", "vision"])).toEqual({
    ...{ chat_completion: true, completion: true, embeddings: false, fine_tune: false },
    ...{ inference: true, text_to_speech: false, speech_to_text: false },
    ...{ image_generation: false, image_understanding: true, rerank: false },
  });
  expect(capabilitiesObject([])).toMatchObject({ inference: true, chat_completion: false });
});

test("what is written as an object is read back", () => {
  const known = readCapabilities(capabilitiesObject(["embeddings", "rerank"]));
  expect(known?.has).toEqual(["embeddings", "rerank"]);
  expect(known?.lacks.toSorted()).toEqual(
    ["chat", "image_generation", "speech_to_text", "text_to_speech", "vision"].toSorted() as never,
  );
});

test.each([
  ["Ollama, a text model", ["completion", "tools"], ["chat"], ["vision"]],
  ["Ollama, a vision model", ["completion", "vision"], ["chat", "vision"], []],
  ["Ollama, an embedding model", ["embedding"], ["embeddings"], ["chat", "vision"]],
  ["llama-server", ["completion"], ["chat"], ["vision"]],
  ["llama-server with a projector", ["completion", "multimodal"], ["chat", "vision"], []],
  ["LM Studio", { vision: false, trained_for_tool_use: true }, [], ["vision"]],
  ["Mistral", { completion_chat: true, vision: true, fine_tuning: true }, ["chat", "vision"], []],
])("%s is understood", (_, said, has, lacks) => {
  expect(readCapabilities(said) as object).toEqual({ has, lacks });
});

test("anything else says nothing", () => {
  const odd = [undefined, null, "vision", 7, [], ["tools"], {}, { a: 1 }, { vision: "yes" }, [1]];
  for (const said of odd) expect(readCapabilities(said)).toBeUndefined();
});
