import { expect, test } from "bun:test";
import { chooseRepoFiles } from "./repochoice.ts";
import type { RepoSnapshot } from "./reposnapshot.ts";

type FileReference = Parameters<typeof chooseRepoFiles>[1];

function repoOf(paths: string[]): RepoSnapshot {
  return {
    ...{ repo: "acme/T-GGUF", revision: "a".repeat(40), private: false, gated: false },
    ...{ downloads: 0, likes: 0, tags: [], pipelineTag: null, lastModified: null },
    ...{ architectures: [], chatTemplate: null, contextLength: null },
    files: paths.map((path) => ({ path, size: 100, sha256: null, gitOid: null })),
  };
}

/** What is chosen of a repository with these files. */
function choose(paths: string[], request: FileReference = {}) {
  const { filename, variants, projector, skipped, kind } = chooseRepoFiles(repoOf(paths), request);
  const tags = variants.map(({ quantization }) => quantization);
  return { filename, tags, projector: projector?.path, skipped, kind };
}

const TWINS = ["T-Q4_K_M.gguf", "T-UD-Q4_K_M.gguf"];
const SPLIT = ["UD-Q6_K_XL/A-UD-Q6_K_XL-00001-of-00002.gguf"];
SPLIT.push("UD-Q6_K_XL/A-UD-Q6_K_XL-00002-of-00002.gguf");

test.each<[string[], string, string | undefined]>([
  [TWINS, "Q4_K_M", "T-Q4_K_M.gguf"],
  [TWINS, "UD-Q4_K_M", "T-UD-Q4_K_M.gguf"],
  [["A-UD-Q4_K_XL.gguf", "A-Q8_0.gguf"], "UD-Q4_K_XL", "A-UD-Q4_K_XL.gguf"],
  [["A-UD-Q4_K_XL.gguf", "A-Q8_0.gguf"], "Q4_K_XL", "A-UD-Q4_K_XL.gguf"],
  [["A.i1-Q4_K_M.gguf"], "i1-Q4_K_M", "A.i1-Q4_K_M.gguf"],
  [SPLIT, "UD-Q6_K_XL", SPLIT[0]],
  [["m_Q4_K_M.gguf", "m_Q8_0.gguf"], "Q8_0", "m_Q8_0.gguf"],
  [["Q8_0/T.gguf", "Q4_0/T.gguf"], "Q4_0", "Q4_0/T.gguf"],
  [["T-NEW3_X.gguf"], "new3_x", "T-NEW3_X.gguf"],
])("of %p, the tag %s registers %s", (paths, quantization, filename) => {
  expect(choose(paths, { quantization }).filename).toBe(filename ?? "");
});

test("two tags of one scheme are no twins", () => {
  const { warnings } = chooseRepoFiles(repoOf(TWINS), {});
  expect(warnings).toEqual([]);
});

test("a tag that a pull names is chosen later, unless its file would share a name", () => {
  const request = { quantization: "Q4_0", choosesLater: true };
  expect(choose(["T-Q4_0.gguf", "T-Q8_0.gguf"], request)).toMatchObject({
    ...{ filename: null, tags: ["Q4_0", "Q8_0"] },
  });
  expect(choose(["A/Q8_0/T.gguf", "Q4_0/T.gguf"], request).filename).toBe("Q4_0/T.gguf");
});

test("companions are left out, which is told with what they are", () => {
  const companions = ["mtp-T-Q8_0.gguf", "T-imatrix.gguf", "ggml-vocab-t.gguf", "T-lora.gguf"];
  const { tags, skipped } = choose(["T-Q4_K_M.gguf", ...companions]);
  expect(tags).toEqual(["Q4_K_M"]);
  expect(skipped).toHaveLength(4);
  expect(skipped[0]).toContain("mtp-T-Q8_0.gguf is left out: it is a drafter");
  expect(() => choose(["T-Q4_K_M.gguf", ...companions], { quantization: "Q8_0" })).toThrow(
    "Q8_0 is not among its GGUF files: Q4_K_M",
  );
  expect(() => choose(["mtp-T-Q8_0.gguf"])).toThrow("it is a drafter");
});

test("a file that is named is taken, whatever its name; but no projector", () => {
  for (const filename of ["T-lora-merged-Q4_K_M.gguf", "T-imatrix.gguf", "mtp-T-Q8_0.gguf"]) {
    const paths = ["T-Q8_0.gguf", "mmproj-F16.gguf", filename];
    const projector = "mmproj-F16.gguf";
    expect(choose(paths, { filename })).toMatchObject({ filename, projector, kind: "gguf" });
  }
  expect(() => choose(["mmproj-F16.gguf"], { filename: "mmproj-F16.gguf" })).toThrow("no model");
});

test("a folder means the files in it", () => {
  const paths = [...SPLIT, "T-Q4_K_M.gguf", "Q8_0/T-Q8_0.gguf", "Q8_0/T-Q8_K.gguf"];
  expect(choose(paths, { folder: "UD-Q6_K_XL" }).filename).toBe(SPLIT[0] ?? "");
  const later = choose(paths, { folder: "UD-Q6_K_XL", choosesLater: true });
  expect(later).toMatchObject({ filename: null, tags: ["UD-Q6_K_XL"] });
  expect(choose(paths, { folder: "Q8_0" })).toMatchObject({
    filename: null,
    tags: ["Q8_0", "Q8_K"],
  });
  expect(() => choose(paths, { folder: "Q2_K" })).toThrow("its folder Q2_K has no GGUF files");
});

test("parts that are missing are told where their tag is named, and pieces wherever", () => {
  const paths = ["T-Q2_K-00001-of-00002.gguf", "T-Q8_0.gguf"];
  for (const choosesLater of [false, true]) {
    expect(() => choose(paths, { quantization: "Q2_K", choosesLater })).toThrow(
      "Parts of a split GGUF file are missing: T-Q2_K-00002-of-00002.gguf",
    );
  }
  expect(choose(paths).skipped[0]).toContain("are missing: T-Q2_K-00002");
  for (const pieces of [["T.gguf-split-a", "T.gguf-split-b"], ["T.gguf.part1of2"]]) {
    expect(() => choose(pieces)).toThrow("cut into pieces");
  }
});

test("a name that cannot be saved is told", () => {
  expect(choose(["a:b-Q8_0.gguf", "T-Q4_0.gguf"]).skipped[0]).toContain(
    "a:b-Q8_0.gguf is left out",
  );
});
