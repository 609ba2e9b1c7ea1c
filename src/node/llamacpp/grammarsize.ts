/** How much a grammar asks of llama.cpp's parser and sampler. */
interface GrammarSize {
  /** Deepest nesting of parentheses. */
  depth: number;
  rules: number;
  /** Sum of the numbers in `{…}`. */
  repetitions: number;
  /** Most parts of one sequence that may be left out: the sampler follows all combinations. */
  optional: number;
}

/**
 * Texts, character classes and comments, in which signs mean nothing; then those that count. What
 * has no end goes to the grammar's, so that nothing is read twice.
 */
const TOKEN = /"(?:[^"\\]|\\.)*"?|\[(?:[^\]\\]|\\.)*\]?|#[^\n]*|::=|\{[\s\d,]{0,40}\}?|[()|?*]/gs;

/** Measures a grammar in GBNF, llama.cpp's notation. */
export function measureGrammar(grammar: string): GrammarSize {
  const size: GrammarSize = { depth: 0, rules: 0, repetitions: 0, optional: 0 };
  let [depth, optional] = [0, 0];
  for (const [token] of grammar.matchAll(TOKEN)) {
    if (token === "?" || token === "*") {
      size.optional = Math.max(size.optional, ++optional);
      continue;
    }
    if (token.startsWith("{")) {
      const counts = (token.match(/\d+/g) ?? []).map(Number);
      size.repetitions += token.endsWith("}") ? Math.max(0, ...counts) : Number.POSITIVE_INFINITY;
    }
    if (token === "(") size.depth = Math.max(size.depth, ++depth);
    if (token === ")") depth -= 1;
    if (token === "::=") size.rules += 1;
    if (token === "::=" || token === "|") optional = 0;
  }
  return size;
}
