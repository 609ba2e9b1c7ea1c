import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type ConfigInput, loadConfig } from "../../testkit/config.ts";

describe("models", () => {
  const model = (...models: string[]) => ({ flags: { models } });
  const good: [ConfigInput, object[]][] = [
    [model("/m/Tiny.gguf"), [{ id: "Tiny", path: "/m/Tiny.gguf" }]],
    [model("sub/x.GGUF"), [{ id: "x", path: "/work dir/sub/x.GGUF" }]],
    [model("hf/a/b=x.gguf"), [{ id: "hf/a/b", path: "/work dir/x.gguf" }]],
    [model("/m/a=b.gguf"), [{ id: "a=b", path: "/m/a=b.gguf" }]],
    [model("/m/big-00001-of-00003.gguf"), [{ id: "big", path: "/m/big-00001-of-00003.gguf" }]],
    [
      { env: { LLMLB_MODELS: "a=/1,b=/2" } },
      [
        { id: "a", path: "/1" },
        { id: "b", path: "/2" },
      ],
    ],
    [
      { flags: { models: ["/a", "/b"], mmproj: ["b=/p"] } },
      [
        { id: "a", path: "/a" },
        { id: "b", path: "/b", mmproj: "/p" },
      ],
    ],
    [{ flags: { models: ["/a"], mmproj: ["/p"] } }, [{ id: "a", path: "/a", mmproj: "/p" }]],
    [{ flags: { models: ["/a"] }, config: { mmproj: "/p" } }, [{ id: "a", path: "/a" }]],
    [
      { config: { models: [{ id: "i", path: "/a", mmproj: "/p" }] } },
      [{ id: "i", path: "/a", mmproj: "/p" }],
    ],
    [
      {
        config: {
          models: {
            a: { file: "/a.gguf", context: 4096, slots: 2, args: ["--mlock"], lora: ["x.gguf"] },
            b: "/b.gguf",
            "org/c": { keep_alive: "1m", draft: "/d/e.gguf" },
          },
        },
      },
      [
        {
          ...{ id: "a", path: "/a.gguf" },
          settings: { ctx_size: 4096, parallel: 2, args: ["--mlock"], lora: ["x.gguf"] },
        },
        { id: "b", path: "/b.gguf" },
        { id: "org/c", settings: { keep_alive: "1m", model_draft: "/d/e.gguf" } },
      ],
    ],
    [
      { config: { models: [{ path: "/a", gpu_layers: 0, pin: true }] } },
      [{ id: "a", path: "/a", settings: { gpu_layers: 0, pin: true } }],
    ],
  ];
  test.each(good)("reads %j", (given, expected) => {
    expect(loadConfig(given).settings.models).toEqual(expected as never);
  });

  test("in the file start at its folder", () => {
    const { settings, home } = loadConfig({ config: { models: ["m/x.gguf"] } });
    expect(settings.models).toEqual([{ id: "x", path: join(home, "m/x.gguf") }]);
  });

  const bad: [ConfigInput, string][] = [
    [model("/a/x.gguf", "/b/x.gguf"), 'two models are named "x"'],
    [model("=x"), "--model =x: must be a file, or name=file"],
    [{ flags: { mmproj: ["/p"] } }, "--mmproj: there is no model it could belong to"],
    [{ flags: { models: ["/a"], mmproj: ["z=/p"] } }, '--mmproj: there is no model "z"'],
    [{ flags: { models: ["/a", "/b"], mmproj: ["/p"] } }, "say which one it belongs to"],
    [{ config: { models: [{ context: 1 }] } }, "path: is missing"],
    [{ config: { models: { a: { contxt: 1 } } } }, 'a: there is no setting "contxt": did you'],
    [{ config: { models: { a: { slots: "x" } } } }, "a: slots: must be a whole number"],
    [{ config: { models: { a: 5 } } }, "models = "],
    [{ config: { models: { a: { file: 5 } } } }, "path: must be a text"],
  ];
  test.each(bad)("refuses %j", (given, message) => {
    expect(() => loadConfig(given)).toThrow(message);
  });
});
