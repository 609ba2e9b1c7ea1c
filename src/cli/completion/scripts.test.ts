import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, temporaryHome } from "../../testkit/command.ts";
import { shellWord } from "../terminal/shellword.ts";
import { SCRIPTS, type Shell } from "./scripts.ts";

setDefaultTimeout(30_000);

/** How a shell tells what it completes a line to, a word each line. */
const RUNNERS: Record<Shell, (line: string) => string[]> = {
  bash: (line) => [
    "bash",
    "--norc",
    "-c",
    `source "$SCRIPT"; COMP_LINE=${shellWord(line)}; COMP_POINT=\${#COMP_LINE}
compopt() { printf '%s\\n' "$*"; }
_llmlb llmlb; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (line) => [
    "zsh",
    "-f",
    "-c",
    `compdef() { :; }; compset() { :; }; _files() { print -r -- "files $*"; }
_describe() { print -rl -- "\${(@P)2}"; }
source "$SCRIPT"; words=(\${(z)1}); [[ $1 == *' ' ]] && words+=(''); CURRENT=$#words; _llmlb`,
    "zsh",
    line,
  ],
  fish: (line) => ["fish", "-c", 'source $SCRIPT; complete -C "$argv[1]"', line],
};

/** A folder with `llmlb` on the path, and the script of a shell. */
function withShell(shell: Shell) {
  const home = temporaryHome();
  const bin = join(home.path, "bin");
  mkdirSync(bin);
  const program = join(bin, "llmlb");
  writeFileSync(program, `#!/bin/sh\nexec ${commandLine([]).map(shellWord).join(" ")} "$@"\n`);
  chmodSync(program, 0o755);
  const script = join(home.path, "script");
  writeFileSync(script, SCRIPTS[shell]);
  writeFileSync(join(home.path, "file.gguf"), "");
  return {
    [Symbol.dispose]: () => home[Symbol.dispose](),
    complete(line: string): string[] {
      const env = {
        ...{ HOME: home.path, SCRIPT: script, LLMLB_HOME: home.path, COMP_WORDBREAKS: " =:" },
        ...{ PATH: `${bin}:${process.env.PATH}`, FPATH: process.env.FPATH },
      };
      const run = Bun.spawnSync(RUNNERS[shell](line), { env, cwd: home.path, stdin: "ignore" });
      const text = run.stdout.toString() + run.stderr.toString();
      return text.split("\n").filter((one) => one !== "");
    },
  };
}

/** Each shell shows a word and its meaning in its own way. */
const wordOf = (line: string) => line.split(/[\t:]/)[0] ?? "";

describe.each(["bash", "zsh", "fish"] as const)("%s", (shell) => {
  test.skipIf(Bun.which(shell) === null)("completes as the program says", () => {
    using own = withShell(shell);
    expect(own.complete("llmlb mod").map(wordOf)).toEqual(["model"]);
    expect(own.complete("llmlb model sh").map(wordOf)).toEqual(["show"]);
    expect(own.complete("llmlb --strategy ").map(wordOf).toSorted()).toEqual(
      ["latency", "least-busy", "prefix", "round-robin"].toSorted(),
    );
    expect(own.complete("llmlb --strategy=la").map(wordOf)).toEqual([
      shell === "bash" ? "latency" : "--strategy=latency",
    ]);
    const files = own.complete("llmlb --model fi").join("\n");
    expect(files).toContain({ bash: "-o default", zsh: "files", fish: "file.gguf" }[shell]);
  });

  test.skipIf(Bun.which(shell) === null)("runs nothing of what was typed", async () => {
    using own = withShell(shell);
    const mark = join(process.env.TMPDIR ?? "/tmp", `llmlb-typed-${process.pid}`);
    own.complete(`llmlb run $(touch ${mark}) \`touch ${mark}\` ';touch ${mark};' `);
    expect(await Bun.file(mark).exists()).toBe(false);
  });
});
