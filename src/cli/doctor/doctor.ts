import { existsSync } from "node:fs";
import { type ConfigSources, type Configuration, loadSettings } from "../../config/precedence.ts";
import { formatBytes } from "../../config/units.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../../config/version.ts";
import { inspectLibraries } from "../../engine/libraryreport.ts";
import { createLogger } from "../../lib/log.ts";
import { EXIT, type ExitCode } from "../process/exit.ts";
import { type Colors, colorsFor } from "../terminal/color.ts";
import { checkDataFolder, checkDisk, checkFileLimit, checkPorts } from "./hostchecks.ts";

/** One thing looked at and how it is. */
export interface Finding {
  subject: string;
  state: "ok" | "note" | "problem";
  text: string;
  /** Further lines. */
  details?: string[];
}

export interface DoctorOptions extends ConfigSources {
  json: boolean;
}

/** Looks at all that llmlb needs of this machine and prints it. Returns 1 if something is wrong. */
export async function runDoctor({ json, ...sources }: DoctorOptions): Promise<ExitCode> {
  const findings: Finding[] = [versions()];
  const loaded = attemptToLoad(sources, findings);
  if (loaded !== undefined) {
    const { settings } = loaded;
    findings.push(checkDataFolder(settings.home), checkDisk(settings.home));
    findings.push(...(await checkPorts(settings)), checkFileLimit());
    findings.push(...(await checkLibraries(settings.home)));
  }
  const wrong = findings.filter(({ state }) => state === "problem").length;
  if (json) process.stdout.write(`${JSON.stringify({ ok: wrong === 0, findings }, null, 2)}\n`);
  else process.stdout.write(render(findings, colorsFor(process.stdout)));
  return wrong === 0 ? EXIT.ok : EXIT.error;
}

function versions(): Finding {
  const platform = `${process.platform}-${process.arch}`;
  const text = `llmlb ${VERSION}, Bun ${Bun.version}, llama.cpp ${LLAMA_CPP_VERSION}, ${platform}`;
  return { subject: "Versions", state: "ok", text };
}

function attemptToLoad(sources: ConfigSources, findings: Finding[]): Configuration | undefined {
  const subject = "Settings";
  try {
    const loaded = loadSettings(sources);
    const given = Object.values(loaded.origins).filter(({ source }) => source !== "default");
    const file = existsSync(loaded.file) ? loaded.file : `no ${loaded.file}`;
    const count =
      given.length === 1 ? "1 is not the default" : `${given.length} are not the default`;
    findings.push({ subject, state: "ok", text: `${file}; ${count} (see llmlb config)` });
    return loaded;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    findings.push({ subject, state: "problem", text });
    return undefined;
  }
}

async function checkLibraries(home: string): Promise<Finding[]> {
  try {
    const log = createLogger({ level: "silent" });
    const { directories, llamaCpp, libraries, devices } = await inspectLibraries({ home, log });
    const skipped = libraries.filter(({ loaded }) => !loaded);
    const broken = skipped.some(({ kind }) => kind === "core");
    const count = libraries.length - skipped.length;
    return [
      {
        subject: "Libraries",
        state: broken ? "problem" : "ok",
        text: `${count} usable (llama.cpp build ${llamaCpp}) in ${directories.join(", ")}`,
        details: skipped.map(({ file, reason }) => `skipped ${file}: ${reason ?? "unknown"}`),
      },
      {
        subject: "Devices",
        state: devices.length === 0 ? "problem" : "ok",
        text: devices.length === 0 ? "none was found that could run a model" : `${devices.length}`,
        details: devices.map(({ name, type, description, ...memory }) => {
          const free = formatBytes(memory.free_memory_bytes);
          const total = formatBytes(memory.total_memory_bytes);
          return `${name} (${type}): ${description}, ${free} of ${total} free`;
        }),
      },
    ];
  } catch (cause) {
    const text = `looking at them failed: ${cause instanceof Error ? cause.message : cause}`;
    return [{ subject: "Libraries", state: "problem", text }];
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
