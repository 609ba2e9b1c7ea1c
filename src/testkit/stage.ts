import { afterEach } from "bun:test";
import { temporaryHome } from "./command.ts";
import { Program, type StartOptions } from "./program.ts";

/** Programs and data folders of one test. */
export interface Stage {
  start(options?: StartOptions): Promise<Program>;
  /** A data folder that outlives the programs in it. */
  newHome(): string;
}

/** A stage for the tests of a file or a `describe`: after each, all is killed and removed. */
export function stage(): Stage {
  const programs: Program[] = [];
  const homes: ReturnType<typeof temporaryHome>[] = [];
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.kill();
    for (const home of homes.splice(0)) home[Symbol.dispose]();
  });
  return {
    start: async (options = {}) => {
      const program = await Program.start(options);
      programs.push(program);
      return program;
    },
    newHome: () => {
      const home = temporaryHome();
      homes.push(home);
      return home.path;
    },
  };
}
