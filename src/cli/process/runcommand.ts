/**
 * Runs a program to its end, `msMax` at the longest; returns its status and what it printed. Throws
 * if it cannot be started.
 */
export async function runCommand(
  argv: readonly string[],
  msMax: number,
): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([...argv], { stdio: ["ignore", "pipe", "pipe"], timeout: msMax });
  const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
  const output = (await Promise.all(texts)).join("");
  return { code: await child.exited, output };
}
