import type { LoadFailure } from "./loaderror.ts";

/** Why an engine failed. */
interface Diagnosis {
  reason: LoadFailure;
  /** A sentence for people, which follows "Loading … failed: ". */
  why: string;
}

/** What llama.cpp's error lines mean. The first pattern that matches any line wins. */
const MEANINGS: {
  pattern: RegExp;
  reason: LoadFailure;
  why: (found: RegExpExecArray) => string;
}[] = [
  {
    pattern: /Failed to open library "(?:.*[\\/])?([^"\\/]+)": .*failed to map segment/,
    reason: "broken_library",
    why: ([, name]) =>
      `${name} cannot be loaded: programs may not be run from the data folder, which lies on a \
file system that is mounted noexec, or a security policy forbids it. Choose another one (--home).`,
  },
  {
    pattern: /Failed to open library ".*": ([^:/]+): cannot open shared object file/,
    reason: "broken_library",
    why: ([, name = ""]) =>
      `the system lacks the library ${name}, which llama.cpp needs. Install ${packageOf(name)}.`,
  },
  {
    pattern: /Failed to open library "(?:.*[\\/])?([^"\\/]+)": (?:.*[\\/])?(.*)/,
    reason: "broken_library",
    why: ([, name, text]) => `${name} cannot be loaded: ${text}. \`llmlb doctor\` tells more.`,
  },
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
    pattern: /failed to open (?:GGUF file )?'([^']+)'[ :(]+(\w[^)]*)/,
    reason: "failed",
    why: ([, path, text]) => `${path} cannot be opened: ${text}.`,
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
    pattern: /llama_init_from_model: (?:failed to initialize the context: )?(.*)/,
    reason: "bad_arguments",
    why: ([, text]) => `${text}. Arguments after \`--\` may be the reason.`,
  },
  {
    pattern: /^error: (.*)/,
    reason: "bad_arguments",
    why: ([, text]) => `${text}. Arguments after \`--\` are llama-server's.`,
  },
  {
    pattern: /error loading model: (.*)/,
    reason: "failed",
    why: ([, text]) => `${text}.`,
  },
];

/** Lines that only say that something failed, for which a line before them has the reason. */
const CONSEQUENCE =
  /failed to create_?.?context|failed to (?:load|measure)\b.*model|trying to fit params/;

/** Why a model did not load; `lines` are the engine's last error lines, `text` its final error. */
export function diagnoseLoad(text: string, lines: string[]): Diagnosis {
  for (const { pattern, reason, why } of MEANINGS) {
    for (const line of lines) {
      const found = pattern.exec(line);
      if (found !== null) return { reason, why: why(found) };
    }
  }
  const line = lines.findLast((one) => !CONSEQUENCE.test(one)) ?? lines.at(-1) ?? text;
  const reason = text === "invalid engine arguments" ? "bad_arguments" : "failed";
  return { reason, why: `${line}.` };
}

/** Lines that Bun prints around the cause when it crashes. */
const BANNER =
  /^(=+$|Bun v|Linux K|CPU:|Args:|Features:|Builtins:|Elapsed:|RSS:|oh no:|To send|please)|bun\.r/;

/** Lines that name the cause of a crash. A backtrace may follow them. */
const CRASH_CAUSE =
  /^(?:unexpected )?error: |GGML_ASSERT|ggml_abort|^panic:|terminate called|what\(\):/;

/** How and why an engine process ended; `lines` are the last that it printed and logged. */
export function diagnoseCrash(
  { code, signal }: { code: number | null; signal: string | null },
  lines: string[],
): Diagnosis {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const printed = lines.filter((line) => !BANNER.test(line));
  const cause = printed.findLast((line) => CRASH_CAUSE.test(line)) ?? printed.at(-1);
  const quote = cause === undefined ? "" : ` It said: ${cause}`;
  const load = diagnoseLoad("", lines);
  if (load.reason === "out_of_memory" || load.reason === "broken_library") return load;
  if (signal === null && load.reason === "bad_arguments") return load;
  const hint = signal === "SIGKILL" ? " The system may have run out of memory." : "";
  return { reason: "crashed", why: `its engine process ended with ${how}.${hint}${quote}` };
}

/** Who brings a library of the system; small images of containers lack those of C++. */
function packageOf(library: string): string {
  if (!/^lib(?:stdc\+\+|gcc_s)\./.test(library)) return "the package that it belongs to";
  return "that of C++: libstdc++6 on Debian and Ubuntu, libstdc++ on Fedora";
}
