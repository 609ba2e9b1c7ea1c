/**
 * Arguments of llama-server with others behind them, which replace those of the same name:
 * llama.cpp warns of a name that comes twice, and nobody gave it twice. What one list has several
 * times stays.
 */
export function joinArguments(args: readonly string[], others: readonly string[]): string[] {
  const replaced = new Set(others.filter((arg) => arg.startsWith("-")).map(nameOf));
  let isReplaced = false;
  const kept = args.filter((arg) => {
    // A value goes with the name before it.
    if (arg.startsWith("-")) isReplaced = replaced.has(nameOf(arg));
    return !isReplaced;
  });
  return [...kept, ...others];
}

/** The value of the last of these arguments; undefined if none is there. */
export function argumentOf(args: readonly string[], ...names: string[]): string | undefined {
  const at = args.findLastIndex((arg) => names.includes(nameOf(arg)));
  const arg = args[at];
  if (arg === undefined) return undefined;
  return arg.includes("=") ? arg.slice(arg.indexOf("=") + 1) : args[at + 1];
}

function nameOf(arg: string): string {
  return arg.split("=", 1)[0] ?? arg;
}
