import { expect, test } from "bun:test";
import pins from "../../../native/plugins.json" with { type: "json" };
import sources from "../../../native/sources.json" with { type: "json" };
import { LLAMA_CPP_VERSION } from "../../config/version.ts";
import { PLUGIN_NAMES, pluginFolder, pluginPin } from "./pin.ts";

test("backends are those of the packages that the libraries come from", () => {
  expect(pins.version).toBe(sources.node_llama_cpp);
  for (const name of PLUGIN_NAMES) {
    const pin = pluginPin(name, "linux-x64");
    expect(pin?.sha512).toMatch(/^[0-9a-f]{128}$/);
    expect(pin?.library).toEndWith(`/libggml-${name}.so`);
    expect(pluginPin(name, "plan9-mips")).toBeUndefined();
    expect(pluginFolder("/data", name)).toBe(`/data/native/${LLAMA_CPP_VERSION}/${name}`);
  }
});
