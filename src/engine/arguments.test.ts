import { describe, expect, test } from "bun:test";
import { argumentProblem } from "./arguments.ts";

describe("an engine's arguments", () => {
  test.each([
    [["--api-key", "secret"], "--api-key"],
    [["--threads", "2", "--port=42299"], "--port"],
    [["--host", "127.0.0.2"], "--host"],
    [["--ssl-key-file", "k.pem"], "--ssl-key-file"],
    [["--sleep-idle-seconds", "60"], "--sleep-idle-seconds"],
    [["--models-max", "3"], "--models-max"],
    [["-m", "other.gguf"], "-m"],
    [["-hf", "acme/model"], "-hf"],
    [["--help"], "--help"],
    [["--webui"], "--webui"],
  ])("may not be %j, and are told by name", (args, name) => {
    expect(argumentProblem(args)).toStartWith(`${name} is not possible here: `);
  });

  test.each([
    [["-c", "-1"], "-c -1 is not possible: the least is 0."],
    [["--batch-size", "0"], "--batch-size 0 is not possible: the least is 1."],
  ])("may not be %j, with which llama.cpp aborts", (args, problem) => {
    expect(argumentProblem(args)).toBe(problem);
  });

  test.each([
    [["-c", "0", "--parallel", "-1", "--cache-ram", "0"]],
    [["--no-webui", "--no-mmproj", "--jinja", "--model-draft", "d.gguf"]],
    [["--lora", "a.gguf", "-ngl", "99", "-fa", "on", "-ctk", "q8_0"]],
  ])("may be %j", (args) => {
    expect(argumentProblem(args)).toBeUndefined();
  });
});
