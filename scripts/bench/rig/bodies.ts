/** A request body that is no pleasure to read. */
export interface HardBody {
  name: string;
  path: string;
  body: Buffer;
}

const CHAT = "/v1/chat/completions";
const BYTES = 20_000_000;

/** Bodies of 20 MB, each made when it is asked for. */
export function* bodies(): Generator<HardBody> {
  const chat = (name: string, ...texts: string[]) => ({ name, path: CHAT, body: join(texts) });
  yield chat("one text", '"x":"', filled("a"), '"');
  yield chat("line feeds in a text", '"x":"', filled("\\n"), '"');
  yield chat("\\u0060 in a text", '"x":"', filled("\\u0060"), '"');
  yield chat("quotes in a text", '"x":"', filled('\\"'), '"');
  yield chat("Chinese", '"x":"', filled("漢"), '"');
  yield chat("two models", '"x":"', filled("a"), '","model":"other"');
  yield chat("two models in 200 kB", '"x":"', "\\u0060".repeat(33_000), '","model":"other"');
  yield chat("a list of numbers", '"x":[', filled("1,"), "1]");
  yield chat("a list of fractions", '"x":[', filled("0.123456789,"), "1]");
  yield chat("a list of long integers", '"x":[', filled("12345678901234567890,"), "1]");
  yield chat("a list of texts", '"x":[', filled('"",'), '""]');
  yield chat("a list of lists", '"x":[', filled("[],"), "[]]");
  yield chat("a list of objects", '"x":[', filled("{},"), "{}]");
  yield chat("a million names", '"x":{', named(1_000_000), "}");
  yield chat("400,000 names", '"x":{', named(400_000), "}");
  yield chat("400,000 names at the top", named(400_000));
  yield chat("100,000 levels", '"x":', "[".repeat(100_000), "]".repeat(100_000));
  yield chat("white space", '"x":[', filled(" "), "1]");
  yield chat("digits", '"x":[', filled("1"), "]");
  yield chat("no JSON", '"x":[', filled("1,"), "}");
  const talk = (count: number) => `"messages":[${'{"role":"user","content":"a"},'.repeat(count)}`;
  const last = '{"role":"user","content":"b"}]';
  yield chat("600,000 messages", talk(600_000), last);
  yield chat("90,000 messages", talk(90_000), last);
  const long = ['"messages":[{"role":"user","content":"', filled("a"), '"}]'];
  for (const path of ["/v1/messages", "/v1/responses", "/api/chat"]) {
    const field = path === "/v1/responses" ? "input" : "messages";
    const other = (name: string, ...texts: string[]) => ({
      name: `${name}, ${path}`,
      path,
      body: join(['"max_tokens":9', ",", ...texts.map((text) => text.replace("messages", field))]),
    });
    yield other("one message", ...long);
    yield other("90,000 messages", talk(90_000), last);
    yield other("a list of numbers", '"x":[', filled("1,"), "1],", talk(1), last);
    yield other(
      "a list of long integers",
      '"x":[',
      filled("12345678901234567890,"),
      "1],",
      talk(1),
      last,
    );
  }
  const input = { name: "a list of numbers, /v1/embeddings", path: "/v1/embeddings" };
  yield { ...input, body: join(['"input":[', filled("1,"), "1]"]) };
  const late = join(['"input":[', filled("1,"), '1],"model":"m"'], "{");
  yield { ...input, name: "the model behind it, /v1/embeddings", body: late };
}

function join(texts: string[], head = '{"model":"m",'): Buffer {
  return Buffer.from(`${head}${texts.join("")}}`);
}

function filled(text: string): string {
  return text.repeat(Math.floor(BYTES / Buffer.byteLength(text)));
}

function named(count: number): string {
  return Array.from({ length: count }, (_, i) => `"k${i}":1`).join(",");
}
