/** The later ones name those before them as well. */
const BROWSERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Edge", /\bEdg(e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chrome", /\b(Chrome|CriOS|Chromium|HeadlessChrome)\//],
  ["Safari", /\bSafari\//],
];

const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Windows", /Windows/],
  ["iOS", /iPhone|iPad/],
  ["macOS", /Mac OS X/],
  ["Android", /Android/],
  ["ChromeOS", /CrOS/],
  ["Linux", /Linux/],
];

/** The program and system that a `User-Agent` names: `Firefox`, `Linux`; undefined: none known. */
export function programOf(userAgent: string): { program: string; system: string | undefined } {
  const nameIn = (names: typeof BROWSERS) =>
    names.find(([, pattern]) => pattern.test(userAgent))?.[0];
  const [product = userAgent] = userAgent.split(/[/ ]/);
  return { program: nameIn(BROWSERS) ?? product, system: nameIn(SYSTEMS) };
}
