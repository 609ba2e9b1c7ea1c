/** Arguments that make llama-server print something and exit. */
const PRINTING =
  "-h --help --usage --version --license -cl --cache-list --list-devices \
--completion-bash";

/** Arguments that cannot work in an engine, with what to do instead. */
const REFUSED: [args: string, advice: string][] = [
  [PRINTING, "it makes an engine print and end; leave it out"],
  [
    "--host --port --reuse-port --path --api-prefix --timeout -to --threads-http --cors-origins \
--cors-methods --cors-headers --cors-credentials",
    "no client reaches an engine: say where llmlb itself listens, before `--`",
  ],
  [
    "--api-key --api-key-file",
    "no client reaches an engine, so its keys would protect nothing: keys are llmlb's own",
  ],
  [
    "--ssl-key-file --ssl-cert-file",
    "no client reaches an engine: put a proxy that speaks TLS in front of llmlb",
  ],
  ["--sleep-idle-seconds", "an engine that sleeps could not be told from one that is stuck"],
  [
    "--models-dir --models-preset --models-max --models-autoload",
    "an engine has one model: name models with `--model`, before `--`",
  ],
  [
    "-m --model -mu --model-url -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file -a --alias \
--mmproj -mm --mmproj-url -mmu",
    "llmlb tells each engine its model: name it with `--model` (and `--mmproj`), before `--`",
  ],
  [
    "--tools --tools-runtime --mcp-servers-config --mcp-servers-json -ag --agent --ui --webui \
--ui-config --webui-config --ui-config-file --webui-config-file --ui-mcp-proxy --webui-mcp-proxy",
    "an engine has no pages and runs no tools",
  ],
];

const ADVICE = new Map(
  REFUSED.flatMap(([args, advice]) => args.split(" ").map((a) => [a, advice])),
);

/** Numbers with which llama.cpp ends with an assertion: the smallest that work. */
const LEAST = new Map(
  [
    ["-c", 0],
    ["--ctx-size", 0],
    ["-b", 1],
    ["--batch-size", 1],
    ["-ub", 1],
    ["--ubatch-size", 1],
  ].map(([name, least]) => [String(name), Number(least)]),
);

/**
 * Why llama-server's arguments cannot be those of an engine, as the end of a sentence; undefined if
 * nothing speaks against them. llama.cpp checks the rest when it starts.
 */
export function argumentProblem(args: string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    const [name = ""] = arg.split("=", 1);
    const advice = ADVICE.get(name);
    if (advice !== undefined) return `${name} is not possible here: ${advice}.`;
    const least = LEAST.get(name);
    const number = Number(args[index + 1]);
    if (least === undefined || !(number < least)) continue;
    return `${name} ${number} is not possible: the least is ${least}.`;
  }
  return undefined;
}
