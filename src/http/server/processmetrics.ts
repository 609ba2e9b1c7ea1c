import { Counter, Gauge, type Registry } from "prom-client";
import { LLAMA_CPP_VERSION, VERSION } from "../../config/version.ts";

/** Adds what every llmlb tells of itself: its version, its start, its memory and time. */
export function addProcessMetrics(registry: Registry): void {
  addBuild(registry);
  addProcess(registry);
}

/** Which llmlb this is, so that dashboards can show it and join it with all else. */
function addBuild(registry: Registry): void {
  const build = { version: VERSION, bun: Bun.version, llama_cpp: LLAMA_CPP_VERSION };
  new Gauge({
    name: "llmlb_build_info",
    help: "1; its labels say which version this is, and what it is made with",
    labelNames: Object.keys(build),
    registers: [registry],
  }).set(build, 1);
}

/** With the names that all Prometheus clients use. */
function addProcess(registry: Registry): void {
  const registers = [registry];
  const startedAt = (Date.now() - performance.now()) / 1000;
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds",
    registers,
  }).set(startedAt);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  });
}
