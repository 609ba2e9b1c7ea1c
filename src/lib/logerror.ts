/** Errors of the language itself: where nobody expected one, its stack tells the place. */
const UNEXPECTED: readonly unknown[] = [
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError],
  AggregateError,
];

/** How many causes of causes are told. */
const DEPTH_MAX = 3;

/**
 * An error for the log. Those of classes of their own, and those of the system (with a code such as
 * `ENOSPC`), are expected outcomes: their message tells all. Only other ones have their stack.
 */
export function describeError(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { code } = thrown as { code?: unknown };
  const cause = depth < DEPTH_MAX ? describeError(thrown.cause, depth + 1) : undefined;
  return {
    type: thrown.name,
    message: thrown.message,
    ...(typeof code === "string" ? { code } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(isUnexpected(thrown, code) ? { stack: thrown.stack } : {}),
  };
}

function isUnexpected(error: Error, code: unknown): boolean {
  // Node.js tells wrong arguments of its own functions as ERR_…: bugs.
  const isOfSystem = typeof code === "string" && !code.startsWith("ERR_");
  return UNEXPECTED.includes(error.constructor) && !isOfSystem;
}
