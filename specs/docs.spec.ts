import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Semaphore } from "../src/lib/semaphore.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { loadConfig } from "../src/testkit/config.ts";
import { PageNetwork } from "../src/testkit/docs/network.ts";
import { type Block, type GuidePage, readPage } from "../src/testkit/docs/page.ts";
import { isOutput, isRun, PageReader } from "../src/testkit/docs/reader.ts";
import { Hub } from "../src/testkit/servers/hub/hub.ts";
import { tinyRepo } from "../src/testkit/servers/hub/samples.ts";
import { type ThirdPartyKind, thirdPartyServer } from "../src/testkit/servers/thirdparty.ts";

/** A page's time has that of the pages before it in it: they take turns. */
setDefaultTimeout(900_000);

const ROOT = join(import.meta.dir, "..");

/** Pages without a command of llmlb to run, and why. */
const WITHOUT_COMMANDS: Record<string, string> = {
  "docs/README.md": "the index",
  "docs/architecture.md": "for whoever works on llmlb: a map",
  "docs/benchmarks.md": "its commands measure for minutes",
  "docs/releasing.md": "its commands build and publish; release.spec.ts makes a release",
  "README.ja.md": "the commands of README.md, which are run",
};

/** Servers in the pages, and what stands for each. */
const SERVERS: [address: string, kind: ThirdPartyKind, models: string[]][] = [
  ["gpu1:8080", "llama_server", ["qwen3-4b"]],
  ["gpu2:8000", "vllm", ["Qwen/Qwen3-32B"]],
  ["laptop:11434", "ollama", ["llama3:8b", "nomic-embed-text:latest"]],
  ["workstation:1234", "lm_studio", ["gemma-3-12b"]],
  ["api.example.com:8443", "openai_compatible", ["large"]],
];

/** Names in the pages of the machine that most of their blocks are run on, and of others. */
const MACHINES = new Map([
  ["192.168.1.10", "here"],
  ["balancer", "here"],
  ["192.168.1.20", "gpu1"],
]);

/** Where a reverse proxy leads to. */
const TEXTS = new Map([["https://llm.example.com", "http://192.168.1.10:32768"]]);

/** Variables that a reader has. */
const VARIABLES = { PROVIDER_KEY: "the-key-of-a-provider" };

/** Model files that a reader has: all are the built-in one. */
const TINY = join(ROOT, "fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf");
const FILES = new Map(["qwen3-4b.gguf", "small.gguf"].map((name) => [name, TINY]));

const PAGES = new Map(
  ["README.md", "README.ja.md", ...inFolder("docs"), ...inFolder("specs"), "CONTRIBUTING.md"]
    .filter((path) => existsSync(join(ROOT, path)))
    .map((path): [string, GuidePage] => [path, readPage(readFileSync(join(ROOT, path), "utf8"))]),
);

/** For users: what is run line by line. */
const GUIDES = [...PAGES].filter(([path]) => /^(docs\/|README)/.test(path));

function inFolder(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".md"));
  return names.map((name) => `${folder}/${name}`).sort();
}

const hub = new Hub();
const servers = SERVERS.map(([, kind, models]) => thirdPartyServer(kind, models));
const homes = temporaryHome();
let ran = 0;

beforeAll(async () => {
  await hub.listen();
  await hub.add(tinyRepo("Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf"));
  await hub.add(tinyRepo("ggml-org/gemma-3-4b-it-GGUF", "gemma-3-4b-it-Q8_0.gguf"));
});
afterAll(async () => {
  const notRun = GUIDES.flatMap(([, page]) => page.blocks).filter((one) =>
    one.marks.has("not run"),
  );
  process.stdout.write(`docs: ${ran} blocks were run, ${notRun.length} are marked as not run\n`);
  await hub[Symbol.asyncDispose]();
  for (const server of servers) server[Symbol.dispose]();
  homes[Symbol.dispose]();
});

/** A reader of one page, in homes of its own. */
function readerOf(path: string): PageReader {
  const places = SERVERS.map(([address], i): [string, string] => {
    return [address, new URL(servers[i]?.url ?? "").host];
  });
  return new PageReader({
    folder: join(homes.path, path.replace(/\W/g, "")),
    network: new PageNetwork({ servers: new Map(places), machines: MACHINES, texts: TEXTS }),
    env: { HF_ENDPOINT: hub.url, ...VARIABLES },
    files: FILES,
  });
}

/** Pages are tried two at a time: mostly one of them waits for a program to start. */
const turns = new Semaphore(2);
const TRIED = GUIDES.filter(([path]) => WITHOUT_COMMANDS[path] === undefined);

test.concurrent.each(TRIED)("%s does what it says, line by line", async (path, { blocks }) => {
  using _turn = await turns.acquire(new AbortController().signal);
  const reader = readerOf(path);
  try {
    await reader.follow(blocks);
  } finally {
    await reader.done();
  }
  const isListed = "a page without commands is listed in WITHOUT_COMMANDS";
  expect(blocks.some(isRun), isListed).toBe(true);
  ran += reader.ran;
});

describe.each(TRIED)("%s", (_path, { blocks }) => {
  test("shows nothing that is not tried, but for a reason", () => {
    const untried = blocks.filter((block, i) => !isTried(block, blocks[i - 1]));
    expect(untried.map(({ line, language }) => `line ${line}: ${language}`)).toEqual([]);
  });

  test("shows config.json as it is read", () => {
    for (const { text } of blocks.filter(isConfig)) {
      expect(() => loadConfig({ config: text }), text).not.toThrow();
    }
  });
});

/** Whether the block is a configuration of llmlb. */
function isConfig({ language, marks }: Block): boolean {
  return /^jsonc?$/.test(language) && (marks.get("file") ?? "").endsWith("config.json");
}

/** Settings of other programs need no reason: they are no commands. */
function isTried(block: Block, above: Block | undefined): boolean {
  if (block.marks.has("not run") || block.marks.has("file") || isOutput(block, above)) return true;
  return isRun(block) || /^(yaml|toml|ini|nginx|caddyfile|dockerfile)$/.test(block.language);
}

test("the READMEs show the same commands and outputs", () => {
  const shown = (path: string) => PAGES.get(path)?.blocks.map(withoutComments) ?? [];
  expect(shown("README.ja.md").length).toBeGreaterThan(0);
  expect(shown("README.ja.md")).toEqual(shown("README.md"));
});

function withoutComments({ language, text }: Block): string {
  return `${language}: ${text.replace(/ +# .*$/gm, "")}`;
}

test("every page is in the index", () => {
  const index = PAGES.get("docs/README.md")?.links.map(({ target }) => `docs/${target}`);
  const missing = inFolder("docs").filter((path) => !index?.includes(path));
  expect(missing).toEqual(["docs/README.md"]);
  expect(Object.keys(WITHOUT_COMMANDS).filter((path) => !PAGES.has(path))).toEqual([]);
});

test("texts of errors that are not provoked are those of the program", () => {
  const sources = [...new Bun.Glob("src/**/*.ts").scanSync(ROOT)]
    .filter((path) => !path.endsWith(".test.ts"))
    .map((path) => readFileSync(join(ROOT, path), "utf8").replace(/ \\\n/g, " "))
    .join("\n");
  const page = PAGES.get("docs/troubleshooting.md");
  const shown = (page?.blocks ?? []).filter(({ marks }) => marks.has("not run"));
  const inTables = [
    ...readFileSync(join(ROOT, "docs/troubleshooting.md"), "utf8").matchAll(/\| ``(.+?)`` \|/g),
  ];
  const lines = [
    ...shown.flatMap(({ text }) => text.split("\n").filter((line) => line.startsWith("error: "))),
    ...inTables.map(([, text = ""]) => text),
  ];
  expect(lines.length).toBeGreaterThan(8);
  const missing = lines.flatMap(partsOf).filter((part) => !sources.includes(part));
  expect(missing).toEqual([]);
});

/** What of an error's text is the same each time: without names, numbers, addresses and blanks. */
function partsOf(line: string): string[] {
  return line
    .replace(/^error: | \(HTTP \d+\)$/g, "")
    .split(/…|`[^`]*`|"[^"]*"|https?:\S+|\S*\d\S*|llmlb status|llmlb|endpoint|[.:,()]/)
    .map((part) => part.trim())
    .filter((part) => part.length > 10);
}

test("links lead somewhere, to headings too", () => {
  const dead: string[] = [];
  for (const [path, { links }] of PAGES) {
    for (const { target, line } of links) {
      if (!leadsSomewhere(path, target)) dead.push(`${path}:${line}: ${target}`);
    }
  }
  expect(dead).toEqual([]);
});

function leadsSomewhere(path: string, target: string): boolean {
  if (/^(https?|mailto):/.test(target)) return true;
  const [file = "", anchor] = target.split("#");
  const place = file === "" ? path : relative(ROOT, join(ROOT, dirname(path), decodeURI(file)));
  if (!existsSync(join(ROOT, place))) return false;
  return anchor === undefined || (PAGES.get(place)?.anchors.has(anchor) ?? true);
}
