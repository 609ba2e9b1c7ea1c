import { markOf, type ServicePlan } from "./plan.ts";

/** What is kept of a log of failed starts when the service starts. */
const LOG_BYTES_MAX = 2 ** 20;

/**
 * The source of the program between Windows' service manager and llmlb, in C# 5, which is what each
 * Windows can compile. It starts llmlb with a console of its own, ends it by Ctrl-C, as a person
 * would, and by force where that takes too long; the end of llmlb is that of the service.
 */
export function wrapperSource(plan: ServicePlan, logs: string): string {
  const [program = "", ...words] = plan.command;
  return `// ${markOf(plan.home)}
using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.ServiceProcess;

class Wrapper : ServiceBase
{
    const string Name = ${verbatim(plan.name)};
    const string Program = ${verbatim(program)};
    const string Words = ${verbatim(windowsCommandLine(words))};
    const string Folder = ${verbatim(plan.home)};
    const string Log = ${verbatim(logs)};
    const int StopMs = ${plan.stopMs};
    const long LogBytesMax = ${LOG_BYTES_MAX};

    [DllImport("kernel32.dll")] static extern bool AllocConsole();
    [DllImport("kernel32.dll")] static extern bool SetConsoleCtrlHandler(IntPtr act, bool ignore);
    [DllImport("kernel32.dll")] static extern bool GenerateConsoleCtrlEvent(uint kind, uint group);

${METHODS}}
`;
}

const METHODS = `    Process child;
    volatile bool isStopping;

    static void Main() { ServiceBase.Run(new Wrapper()); }

    Wrapper() { ServiceName = Name; CanShutdown = true; }

    protected override void OnStart(string[] given)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Log));
        var log = new FileInfo(Log);
        if (log.Exists && log.Length > LogBytesMax) log.Delete();
        AllocConsole();
        var start = new ProcessStartInfo(Program, Words);
        start.UseShellExecute = false;
        start.WorkingDirectory = Folder;
        start.RedirectStandardError = true;
        child = new Process();
        child.StartInfo = start;
        child.EnableRaisingEvents = true;
        child.ErrorDataReceived += (from, line) => Write(line.Data);
        child.Exited += (from, none) => Ended();
        child.Start();
        child.BeginErrorReadLine();
        // The child has its console by now; from here on Ctrl-C is for it alone.
        SetConsoleCtrlHandler(IntPtr.Zero, true);
    }

    protected override void OnStop() { End(); }
    protected override void OnShutdown() { End(); }

    void End()
    {
        isStopping = true;
        RequestAdditionalTime(StopMs + 5000);
        GenerateConsoleCtrlEvent(0, 0);
        if (!child.WaitForExit(StopMs)) child.Kill();
    }

    void Ended()
    {
        if (isStopping) return;
        Environment.Exit(child.ExitCode == 0 ? 1 : child.ExitCode);
    }

    static void Write(string line)
    {
        if (line == null) return;
        try { File.AppendAllText(Log, line + Environment.NewLine); }
        catch (IOException) { } // Nobody can be told.
    }
`;

function verbatim(text: string): string {
  return `@"${text.replaceAll('"', '""')}"`;
}

/** A command line that programs of Windows part into these words. */
export function windowsCommandLine(words: string[]): string {
  return words.map(quoted).join(" ");
}

function quoted(word: string): string {
  if (word !== "" && !/[\s"]/.test(word)) return word;
  // Backslashes count as such but before a quote.
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}
