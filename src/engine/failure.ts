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
    pattern: /clip_init: failed to load model '([^']*)': (.*)/,
    reason: "failed",
    why: ([, path, text]) => `its projector ${path} could not be loaded: ${text}.`,
  },
  {
    pattern: /invalid magic|this GGUF file is version|failed to read (?:header|magic)/i,
    reason: "not_gguf",
    why: () => "it is not a GGUF file, or of a version that llama.cpp does not know.",
  },
  {
    pattern: /gguf_init_\w+: failed|corrupted|not within the file bounds|unexpectedly reached end/i,
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

/** What Bun prints around the one telling line when a process of it crashes. */
const BANNER =
  /^(=+$|Bun v|Linux K|CPU:|Args:|Features:|Builtins:|Elapsed:|RSS:|oh no:|To send|please)|bun\.r/;

/** What a dying process says of the reason; a backtrace may follow. */
const LAST_WORDS = /GGML_ASSERT|ggml_abort|^panic:|terminate called|what\(\):/;

/** Says how an engine process ended. */
export function explainCrash(
  { code, signal }: { code: number | null; signal: string | null },
  lines: string[],
): Explanation {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const told = lines.filter((line) => !BANNER.test(line));
  const last = told.findLast((line) => LAST_WORDS.test(line)) ?? told.at(-1);
  const said = last === undefined ? "" : ` It said: ${last}`;
  const { reason } = explainLoadError("", lines);
  if (reason === "out_of_memory") return explainLoadError("", lines);
  const hint = signal === "SIGKILL" ? " The system may have run out of memory." : "";
  return { reason: "crashed", why: `its engine process ended with ${how}.${hint}${said}` };
}
