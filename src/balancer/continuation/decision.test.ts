import { expect, test } from "bun:test";
import { ENDPOINT_KINDS } from "../../wire/endpoint.ts";
import { type BrokenStream, type ContinuingKind, continuationWay } from "./decision.ts";
import { Transcript } from "./transcript.ts";

const KINDS: ContinuingKind[] = [...ENDPOINT_KINDS, "cloud", "cloud_prefill", null];

/** A stream, and what can be said of it. */
interface Sample extends BrokenStream {
  tags: Set<string>;
}

const BODIES: [object, ...string[]][] = [
  [{}],
  [{ seed: 7 }, "same"],
  [{ reasoning_effort: "high" }, "asks thoughts"],
  [{ thinking_budget_tokens: 99, seed: 1 }, "asks thoughts", "same"],
  [{ reasoning_effort: "none" }],
  [{ temperature: 0, tools: [{}], tool_choice: "auto" }, "same"],
  [{ n: 2 }, "bound", "several"],
  [{ n: 2, temperature: 0 }, "bound", "several", "same"],
  [{ best_of: 3 }, "bound"],
  [{ response_format: { type: "json_schema" } }, "bound"],
  [{ response_format: { type: "text" } }],
  [{ format: { type: "object" }, seed: 1 }, "bound", "same"],
  [{ format: "json" }, "bound"],
  [{ grammar: "root ::= x" }, "bound"],
  [{ guided_regex: "a", temperature: 0 }, "bound", "same"],
  [{ tool_choice: "required" }, "bound"],
];
const CHATS: [object, ...string[]][] = [[{ messages: [{ role: "user", content: "hi" }] }]];
const COMPLETIONS: [object, ...string[]][] = [
  [{ prompt: "Once" }, "plain"],
  [{ prompt: "Once", echo: true }],
  [{ prompt: "Once", suffix: "end" }],
  [{ prompt: [1, 2] }],
];
const DELTAS: [object[], ...string[]][] = [
  [[], "wordless"],
  [[{ role: "assistant", content: "" }], "wordless"],
  [[{ content: "Hel" }], "text"],
  [[{ content: " \n" }]],
  [[{ reasoning_content: "Hm" }], "thoughts"],
  [[{ reasoning: "Hm" }, { content: "Hel" }], "thoughts", "text"],
  [[{ content: "a" }, { tool_calls: [{ index: 0, function: { name: "f" } }] }], "text", "call"],
  [[{ tool_calls: [{ index: 0, function: { name: "f" } }] }], "call"],
  [[{ refusal: "No" }], "more"],
];

/** All streams that are made of these. */
function* samples(): Generator<Sample> {
  for (const [body, ...own] of BODIES) {
    for (const format of ["chat", "generate"] as const) {
      for (const [asked, ...more] of format === "chat" ? CHATS : COMPLETIONS) {
        for (const [deltas, ...said] of DELTAS) {
          for (const isEnded of [false, true]) {
            const ended = isEnded ? ["ended"] : [];
            const tags = new Set([format, ...own, ...more, ...said, ...ended]);
            const transcript = told(deltas, isEnded, tags.has("several") ? 2 : 1);
            yield { format, body: { ...asked, ...body }, transcript, tags };
          }
        }
      }
    }
  }
}

function told(deltas: object[], isEnded: boolean, choices: number): Transcript {
  const transcript = new Transcript();
  for (let index = 0; index < choices; index += 1) {
    for (const delta of deltas) transcript.add({ choices: [{ index, delta }] });
    if (isEnded) transcript.add({ choices: [{ index, delta: {}, finish_reason: "stop" }] });
  }
  return transcript;
}

/** Streams of which the text so far tells how they go on (the table's note 1). */
const isFree = ({ tags }: Sample) => !["bound", "call", "more"].some((tag) => tags.has(tag));

/** What the first column of the table says of a stream. */
const FITS: Record<string, (sample: Sample) => boolean> = {
  "has ended, and was more than one text": ({ tags }) =>
    tags.has("ended") && ["several", "call", "more"].some((tag) => tags.has(tag)),
  "has said no word, but the role of one at most": ({ tags }) => tags.has("wordless"),
  "has said more than text, thoughts and calls": ({ tags }) => tags.has("more"),
  "is a completion without echo and suffix": (sample) => sample.tags.has("plain") && isFree(sample),
  "is a chat that is in its thoughts": (sample) =>
    sample.tags.has("chat") && !sample.tags.has("text") && isFree(sample),
  "is a chat that has text": (sample) =>
    sample.tags.has("chat") && sample.tags.has("text") && isFree(sample),
  "is a chat that has text, but no thoughts": (sample) =>
    sample.tags.has("chat") &&
    sample.tags.has("text") &&
    !sample.tags.has("thoughts") &&
    isFree(sample),
  "is a chat that has text, asks no thoughts": (sample) =>
    sample.tags.has("chat") &&
    sample.tags.has("text") &&
    !sample.tags.has("asks thoughts") &&
    isFree(sample),
  "any other that has ended, and lacks its usage": ({ tags }) => tags.has("ended"),
  "any other that is the same each time": ({ tags }) => tags.has("same"),
  "any other": () => true,
};

interface Row {
  fits(sample: Sample): boolean;
  kinds: string;
  way: string;
}

/** The rows of the table in the decider's comment. */
async function table(): Promise<Row[]> {
  const source = await Bun.file(new URL("./decision.ts", import.meta.url)).text();
  const cells = [...source.matchAll(/^ \* \|(.*)\|(.*)\|(.*)\|$/gm)].map(([, ...all]) =>
    all.map((cell) => cell.replace("¹", "").trim()),
  );
  return cells.slice(2).map(([stream = "", kinds = "", way = ""]) => {
    const fits = FITS[stream];
    if (fits === undefined) throw new Error(`Nobody knows which streams these are: ${stream}`);
    return { fits, kinds, way };
  });
}

test("the decider does what its table says", async () => {
  const rows = await table();
  const used = new Set<Row>();
  let count = 0;
  for (const sample of samples()) {
    for (const kind of KINDS) {
      const isOf = ({ kinds }: Row) => kinds === "all" || kinds.split(", ").includes(String(kind));
      const row = rows.find((one) => isOf(one) && one.fits(sample));
      const { body, tags } = sample;
      const what = { kind, body, tags: [...tags] };
      expect({ ...what, way: continuationWay(sample, kind) ?? "none" }).toEqual({
        ...what,
        way: row?.way ?? "no row",
      });
      if (row !== undefined) used.add(row);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(1000);
  expect(used.size).toBe(rows.length);
});
