import { expect, test } from "bun:test";
import { CLIENTS, otherClient } from "./clients.ts";

const TARGET = { url: "http://h:1", key: "sk_1", model: 'a "b"/c' };

test("each client is told where llmlb is, the key and the model", () => {
  for (const [name, client] of Object.entries({ ...CLIENTS, other: otherClient("other") })) {
    const variables = client.variables(TARGET);
    const told = JSON.stringify([Object.values(variables), client.arguments?.(TARGET) ?? []]);
    for (const part of ["http://h:1", "sk_1", "b"])
      expect([name, told]).toEqual([name, expect.stringContaining(part)]);
    for (const gone of client.unset ?? []) expect(variables).not.toHaveProperty(gone);
  }
});

test("what is JSON or TOML holds whatever name a model has", () => {
  const { OPENCODE_CONFIG_CONTENT: text = "" } = CLIENTS.opencode?.variables(TARGET) ?? {};
  expect(JSON.parse(text)).toMatchObject({ model: 'llmlb/a "b"/c' });
  const args = CLIENTS.codex?.arguments?.(TARGET) ?? [];
  const values = args.filter((_, i) => i % 2 === 1).join("\n");
  expect(Bun.TOML.parse(values)).toEqual({
    model: 'a "b"/c',
    model_provider: "llmlb",
    model_providers: {
      llmlb: {
        ...{ name: "llmlb", base_url: "http://h:1/v1" },
        ...{ env_key: "OPENAI_API_KEY", wire_api: "responses" },
      },
    },
  });
});
