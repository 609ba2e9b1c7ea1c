/** Who runs a service: the machine from its start, or one user as long as he is logged in. */
export type ServiceScope = "system" | "user";

/** What is to run as a service, whatever keeps services on this machine. */
export interface ServicePlan {
  /** The service's name at the system. */
  name: string;
  scope: ServiceScope;
  /** The command line, whose first word is an absolute path. */
  command: string[];
  /** The data folder, absolute. */
  home: string;
  /** Further folders that are written to. */
  writable: string[];
  /** The program or a model lies in somebody's home folder. */
  readsHomes: boolean;
  /** The user that it runs as; undefined: one that the system makes for it, or the own one. */
  runAs: string | undefined;
  /** Groups of this machine that may use its GPUs. */
  groups: string[];
  port: number;
  /** How long a start may take; undefined: a node waits for its balancer as long as it takes. */
  startMs: number | undefined;
  /** How long it may take to end. */
  stopMs: number;
}

/** A file that belongs to a service. */
export interface ServiceFile {
  path: string;
  text: string;
}

/** A command of the system. */
export interface ServiceStep {
  argv: string[];
  /** Its failure changes nothing. */
  mayFail?: true;
}

/** What the system says of a service. */
export interface ServiceState {
  /** In the system's own words. */
  text: string;
  isActive: boolean;
  pid: number | undefined;
}

/** How a service is kept on one kind of system. All of it is text: others write and run it. */
export interface ServiceDefinition {
  /** The first one is what makes it a service; each holds `markOf`. */
  files: ServiceFile[];
  /** Where a package of the system would have put a service of that name. */
  packaged?: string;
  /** Whether services can be kept here at all. */
  probe: { argv: string[]; isThere(output: string, code: number): boolean; otherwise: string };
  /** Run after the files were written. */
  enable: ServiceStep[];
  /** Run before the files are removed. */
  disable: ServiceStep[];
  /** Run after they were removed. */
  forget: ServiceStep[];
  query: { argv: string[]; parse(output: string, code: number): ServiceState };
  /** How the running one goes on with files that have changed; undefined: `enable` does it. */
  restart: string | undefined;
  /** Where it tells why it does not start. */
  logs: string;
  /** How a data folder is removed. */
  purge(home: string): string;
  /** What else is worth to know, a sentence each. */
  notes: string[];
}

const MARK = "Written by llmlb service install";
const PACKAGE_MARK = "Part of the package llmlb";

/** What stands in each file of a service: who wrote it, and for which data folder. */
export function markOf(home: string): string {
  return `${MARK}, for the data folder ${home} ; llmlb service uninstall removes it.`;
}

/** The same in the unit of a package. */
export function packageMarkOf(home: string): string {
  return `${PACKAGE_MARK}, for the data folder ${home} ; settings: /etc/llmlb/config.json`;
}

/** The data folder that a file of a service was written for; undefined: others wrote the file. */
export function dataFolderIn(text: string): string | undefined {
  return new RegExp(`${MARK}, for the data folder (.+) ; llmlb`).exec(text)?.[1];
}

/** The same in the unit of a package. */
export function packagedFolderIn(text: string): string | undefined {
  return new RegExp(`${PACKAGE_MARK}, for the data folder (.+) ; `).exec(text)?.[1];
}
