import { expect, test } from "bun:test";
import fc from "fast-check";
import { InferenceRequest, isInferenceRequest } from "./openai.ts";

test("the guard of inference requests says what their schema says", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("m", "", true, false, null, undefined));
  const request = fc.record({ model: value, stream: value, other: value }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.oneof(request, fc.jsonValue()), (json) => {
      const parsed = InferenceRequest.safeParse(json);
      expect(isInferenceRequest(json)).toBe(parsed.success);
      if (parsed.success) expect(parsed.data as unknown).toEqual(json);
    }),
    { numRuns: 2000 },
  );
});
