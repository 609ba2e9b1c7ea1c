import { existsSync } from "node:fs";
import { type ConfigSources, loadSettings } from "../../config/precedence.ts";
import type { Settings } from "../../config/settings.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../../config/version.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { printJson, printText } from "../terminal/output.ts";
import { checkDatabases } from "./databasechecks.ts";
import type { Finding } from "./finding.ts";
import { checkDataFolder, checkDisk } from "./homechecks.ts";
import { checkFileLimit, checkPorts } from "./hostchecks.ts";
import { checkLibraries } from "./librarychecks.ts";
import { checkSecurity } from "./securitychecks.ts";

interface DoctorOptions extends ConfigSources {
  json: boolean;
}

/** Checks what llmlb needs of this machine and prints the findings. Returns 1 for a problem. */
export async function runDoctor({ json, ...sources }: DoctorOptions): Promise<ExitCode> {
  const findings: Finding[] = [describeVersions()];
  const settings = checkSettings(sources, findings);
  if (settings !== undefined) {
    findings.push(checkDataFolder(settings.home), checkDisk(settings.home));
    findings.push(...checkDatabases(settings.home), ...checkSecurity(settings));
    findings.push(...(await checkPorts(settings)), checkFileLimit());
    findings.push(...(await checkLibraries(settings.home)));
  }
  const wrong = findings.filter(({ state }) => state === "problem").length;
  if (json) printJson({ ok: wrong === 0, findings });
  else printText(render(findings, colorsFor(process.stdout)));
  return wrong === 0 ? EXIT.ok : EXIT.error;
}

function describeVersions(): Finding {
  const platform = `${process.platform}-${process.arch}`;
  const text = `llmlb ${VERSION}, Bun ${Bun.version}, llama.cpp ${LLAMA_CPP_VERSION}, ${platform}`;
  return { subject: "Versions", state: "ok", text };
}

/** The settings, and a finding about them; undefined if they are wrong. */
function checkSettings(sources: ConfigSources, findings: Finding[]): Settings | undefined {
  const subject = "Settings";
  try {
    const { settings, origins, file, warnings } = loadSettings(sources);
    const given = Object.values(origins).filter(({ source }) => source !== "default");
    const place = existsSync(file) ? file : `no ${file}`;
    const count = given.length === 0 ? "all are the defaults" : `not the default: ${given.length}`;
    findings.push({ subject, state: "ok", text: `${place}; ${count} (see llmlb config)` });
    for (const text of warnings) findings.push({ subject, state: "note", text });
    return settings;
  } catch (cause) {
    const text = errorMessage(cause);
    findings.push({ subject, state: "problem", text });
    return undefined;
  }
}

function render(findings: Finding[], paint: Colors): string {
  const marks = { ok: paint.green("ok  "), note: paint.yellow("note"), problem: paint.red("FAIL") };
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const indent = " ".repeat(width + 8);
  const lines = findings.flatMap(({ subject, state, text, details = [] }) => [
    `${marks[state]}  ${paint.bold(subject.padEnd(width))}  ${text}`,
    ...details.map((detail) => indent + paint.dim(detail)),
  ]);
  const wrong = findings.filter(({ state }) => state === "problem").length;
  const verdict =
    wrong === 0 ? "All is well." : `${wrong} problem${wrong === 1 ? "" : "s"} found, see FAIL.`;
  return `${lines.join("\n")}\n\n${verdict}\n`;
}
