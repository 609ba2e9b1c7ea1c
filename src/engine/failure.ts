import type { LoadFailure } from "./launch.ts";

interface Explanation {
  reason: LoadFailure;
  /** A sentence without its subject, for people. */
  why: string;
}

/** What llama.cpp's error lines mean, most telling first. */
const MEANINGS: {
  pattern: RegExp;
  reason: LoadFailure;
  why: (found: RegExpExecArray) => string;
}[] = [
  {
    pattern: /unknown (?:model architecture|projector type): '?([^'\s]*)/,
    reason: "unknown_architecture",
    why: ([, name]) => `llama.cpp does not know the architecture ${name}. A newer llmlb may.`,
  },
  {
    pattern: /invalid magic|this GGUF file is version|failed to read (?:header|magic)/i,
    reason: "not_gguf",
    why: () => "it is not a GGUF file, or of a version that llama.cpp does not know.",
  },
  {
    pattern: /corrupted or incomplete|not within the file bounds|unexpectedly reached end/i,
    reason: "corrupt",
    why: () => "the file is damaged or incomplete. Fetch it again.",
  },
  {
    pattern: /out of memory|failed to allocate|unable to allocate|cudaMalloc failed|bad_alloc/i,
    reason: "out_of_memory",
    why: () =>
      "there is not enough memory for it. Choose a smaller model or quantisation, fewer slots \
(`--parallel`) or less context (`--ctx-size`).",
  },
  {
    pattern: /error: (invalid argument.*)|(error while handling argument.*)/,
    reason: "bad_arguments",
    why: ([, a, b]) => `${a ?? b}. Arguments after \`--\` are llama-server's.`,
  },
  {
    pattern: /error loading model: (.*)/,
    reason: "failed",
    why: ([, text]) => `${text}.`,
  },
];

/** Says why a model did not load, from what the engine told last. */
export function explainLoadError(text: string, lines: string[]): Explanation {
  for (const { pattern, reason, why } of MEANINGS) {
    for (const line of lines) {
      const found = pattern.exec(line);
      if (found !== null) return { reason, why: why(found) };
    }
  }
  if (text === "invalid engine arguments") {
    return { reason: "bad_arguments", why: `${lines.at(-1) ?? text}.` };
  }
  return { reason: "failed", why: `${lines.at(-1) ?? text}.` };
}

/** Says how an engine process ended. */
export function explainCrash(
  { code, signal }: { code: number | null; signal: string | null },
  lines: string[],
): Explanation {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const last = lines.at(-1);
  const said = last === undefined ? "" : ` It said: ${last}`;
  const { reason } = explainLoadError("", lines);
  if (reason === "out_of_memory") return explainLoadError("", lines);
  const hint = signal === "SIGKILL" ? " The system may have run out of memory." : "";
  return { reason: "crashed", why: `its engine process ended with ${how}.${hint}${said}` };
}
