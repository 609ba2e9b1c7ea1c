import { describe, expect, test } from "bun:test";
import { readCommandLine } from "./commandline.ts";

const SIMPLE = ["serve", "balancer", "node", "config", "chat", "status"];
const COMMANDS = new Map<string, string[]>([
  ...SIMPLE.map((name): [string, string[]] => [name, []]),
  ["model", ["list", "show"]],
]);

describe("arguments are read as people write them:", () => {
  const cases: [string, string, string | undefined][] = [
    ["", "", undefined],
    ["-m a.gguf", "-m a.gguf", undefined],
    ["-m a.gguf --", "-m a.gguf", ""],
    ["node -m a.gguf -- --temp 0", "node -m a.gguf", "--temp 0"],
    // llama-server's own, where they are clear
    ["-m a.gguf -c 4096 -ngl 99", "-m a.gguf", "-c 4096 -ngl 99"],
    ["node --ctx-size=5 --parallel 2 -- --temp 0", "node", "--ctx-size 5 --parallel 2 --temp 0"],
    ["node --device A,B -ts 3,1 -p 1", "node -p 1", "--device A,B -ts 3,1"],
    ["node --list-devices --home h", "node --list-devices --home h", undefined],
    ["--list-devices node", "node --list-devices", undefined],
    ["--name -c --port 1", "--name -c --port 1", undefined],
    ["-c", "-c", undefined],
    ["chat -c 5", "chat -c 5", undefined],
    ["--temp 0", "--temp 0", undefined],
    // options before the command
    ["--home h status", "status --home h", undefined],
    ["--home=h --json status", "status --home=h --json", undefined],
    ["--insecure node -p 1", "node --insecure -p 1", undefined],
    ["--url u model list --json", "model list --url u --json", undefined],
    ["-c 5 node", "node", "-c 5"],
    ["--home status", "--home status", undefined],
    ["--port 1 sttaus", "--port 1 sttaus", undefined],
    ["help", "--help", undefined],
    ["help model list", "model list --help", undefined],
    ["version", "--version", undefined],
  ];
  test.each(cases)("%j", (given, own, engineArgs) => {
    const words = (text: string) => (text === "" ? [] : text.split(" "));
    expect(readCommandLine(words(given), COMMANDS)).toEqual({
      own: words(own),
      engineArgs: engineArgs === undefined ? undefined : words(engineArgs),
    });
  });
});
