import { Argument, type Command } from "commander";
import type { Invocation } from "../invocation.ts";
import { SCRIPTS, SHELLS, type Shell } from "./scripts.ts";

const NOTES = `
What it prints is read by the shell, once or at each start:
  bash  echo 'source <(llmlb completion bash)' >> ~/.bashrc
  zsh   echo 'source <(llmlb completion zsh)' >> ~/.zshrc     after compinit
  fish  llmlb completion fish > ~/.config/fish/completions/llmlb.fish
Commands, options and their values are completed, and the names of models and endpoints that the
llmlb of this home has.`;

/** Adds `llmlb completion`, and the hidden command that a shell asks. */
export function addCompletionCommands(program: Command, invocation: Invocation): void {
  program
    .command("completion")
    .helpGroup("Look after:")
    .description("Print what bash, zsh or fish needs to complete this command line")
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(SHELLS))
    .addHelpText("after", NOTES)
    .action((shell: Shell) => {
      // As it is: what the terminal shows is not what a shell is to read.
      process.stdout.write(SCRIPTS[shell]);
    });
  program.command("complete", { hidden: true }).action(async () => {
    const { printCompletion } = await import("./print.ts");
    await printCompletion(program, invocation.engineArgs ?? []);
  });
}
