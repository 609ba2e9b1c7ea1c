import { expect, test } from "bun:test";
import { shellWord } from "./shellword.ts";

test.each([
  ["acme/T-GGUF:Q8_0", "acme/T-GGUF:Q8_0"],
  ["hf/acme/T/my model#1.gguf", "'hf/acme/T/my model#1.gguf'"],
  ["T'-Q8_0.gguf", "'T'\\''-Q8_0.gguf'"],
  ["Größe.gguf", "'Größe.gguf'"],
])("%s is the word %s", (text, word) => expect(shellWord(text)).toBe(word));

test.skipIf(process.platform === "win32")("a shell reads what was meant", () => {
  const text = 'it\'s $HOME `x` "y" #1';
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf %s ${shellWord(text)}`]);
  expect(stdout.toString()).toBe(text);
});
