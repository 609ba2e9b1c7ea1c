import { describe, expect, test } from "bun:test";
import { Argument, Command } from "commander";
import { addSettingFlags } from "../options/settingflags.ts";
import { completionOf } from "./completion.ts";

const program = new Command("llmlb").helpCommand(false).option("-V, --version", "Versions");
const serve = program.command("serve", { isDefault: true }).argument("[extra...]");
addSettingFlags(serve, ["strategy", "models", "home", "port"], "hidden");
program.command("hidden", { hidden: true });
const model = program.command("model").helpCommand(false).description("Models");
model.command("show").argument("<model>").option("--json", "JSON");
program.command("chat").argument("[question...]").option("-m, --model <name>", "Model");
program.command("completion").addArgument(new Argument("<shell>").choices(["bash", "zsh"]));
program.command("add").argument("<url>").argument("<model>");

/** The words, and after them `:` and whose names come as well. */
function complete(line: string): string {
  const { candidates, also, prefix = "" } = completionOf(program, line.split(" "));
  const words = candidates.map(({ word }) => word);
  return [...words, ...(also === undefined ? [] : [`${prefix}:${also}`])].join(" ");
}

describe("what may stand at the cursor of", () => {
  const cases: [string, string][] = [
    ["", "serve model chat completion add help version"],
    ["mo", "serve model chat completion add help version"],
    ["model ", "show"],
    ["model show ", ":models"],
    ["model show a ", ""],
    ["model show --", "--json --help"],
    ["-", "--version --strategy --model --home --port --help"],
    ["--port ", ""],
    ["--port 1 ", "serve model chat completion add help version"],
    ["--strategy ", "prefix latency least-busy round-robin"],
    [
      "--strategy=l",
      "--strategy=prefix --strategy=latency --strategy=least-busy \
--strategy=round-robin",
    ],
    ["-m ", ":files"],
    ["chat -m ", ":models"],
    ["chat --model=", "--model=:models"],
    ["--home x chat -", "--model --help"],
    ["--home ", ":folders"],
    ["serve --model ", ":files"],
    ["completion ", "bash zsh"],
    ["completion bash ", ""],
    ["add http://a ", ":models"],
    ["help ", "serve model chat completion add"],
    ["help model ", "show"],
    ["help chat ", ""],
    ["chat -- ", ":files"],
    ["nothing ", ""],
    ["--unknown=", ""],
  ];
  test.each(cases)("%j", (line, expected) => {
    expect(complete(line)).toBe(expected);
  });
});
