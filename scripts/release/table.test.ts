import { expect, test } from "bun:test";
import { contentsOf } from "../build/contents.ts";
import { tableOf } from "./table.ts";

test("all of an executable is accounted for, the largest part first", () => {
  const file = (name: string, sizeBytes: number) => {
    return { name, path: import.meta.path, sha256: "", sizeBytes };
  };
  const contents = contentsOf({
    ...{ sizeBytes: 150_000_000, runtimeBytes: 107_000_000, scriptBytes: 2_000_000 },
    libraries: { own: [file("libllmlb.so", 3_000_000)], plugins: [file("libggml-x.so", 43e6)] },
    files: [
      { path: "dist/dashboard.bundle", sizeBytes: 2_200_000 },
      { path: "fixtures/tiny.gguf", sizeBytes: 3_900_000 },
    ],
  });
  expect(contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(150_000_000);
  expect(tableOf(contents)).toBe(`\
                                MB  unpacked
Bun                          107.0
JavaScript, compiled ahead    34.9
model tiny.gguf                3.9
dashboard                      2.2
JavaScript                     2.0
libllmlb.so                    0.0       3.0
libggml-x.so                   0.0      43.0
all of it                    150.0
`);
});
