import { z } from "zod";

/** Where a setting comes from: command line, environment, config.json, or nowhere. */
export const SettingSource = z.enum(["flag", "env", "file", "default"]);
export type SettingSource = z.infer<typeof SettingSource>;

/** A setting in effect, as people may see it. */
export const SettingView = z.object({
  /** As config.json has it. */
  name: z.string(),
  group: z.string(),
  /** What it is for, in a sentence without full stop. */
  help: z.string(),
  /** As the help shows it, e.g. `-p, --port <port>`; null: its values stand behind `--`. */
  flags: z.string().nullable(),
  /** The environment variable. */
  variable: z.string(),
  /** Whether it can stand in config.json. */
  in_file: z.boolean(),
  /** A change of the file counts at SIGHUP; of other settings after a restart. */
  reload: z.boolean(),
  /** The value; secrets are `***`, or `none` where there is none. */
  text: z.string(),
  /** Its value is never shown. */
  secret: z.boolean(),
  source: SettingSource,
  /** The flag, the variable, or the file and the name in it; `default`. */
  from: z.string(),
});
export type SettingView = z.infer<typeof SettingView>;

/** The versions of a process. Null: it is too old to tell. */
export const VersionsView = z.object({
  llmlb: z.string(),
  bun: z.string().nullable(),
  llama_cpp: z.string().nullable(),
});
export type VersionsView = z.infer<typeof VersionsView>;

/** `GET /api/settings` of a balancer. */
export const SettingsAnswer = z.object({
  settings: z.array(SettingView),
  /** Path of config.json. */
  file: z.string(),
  file_exists: z.boolean(),
  /** What the operator should change, a sentence each. */
  warnings: z.array(z.string()),
  versions: VersionsView,
  /** Operating system and processor, e.g. `linux-x64`. */
  platform: z.string(),
});
export type SettingsAnswer = z.infer<typeof SettingsAnswer>;

/** A folder in which a balancer keeps its data, and the disk that it is on. */
export const FolderView = z.object({
  path: z.string(),
  /** What is directly in it, the largest first; files of one database are one. */
  entries: z.array(z.object({ name: z.string(), bytes: z.number() })),
  /** There are more files than were counted. */
  truncated: z.boolean(),
  disk_free_bytes: z.number(),
  disk_total_bytes: z.number(),
});
export type FolderView = z.infer<typeof FolderView>;

/** `GET /api/settings/storage`: the data folder, and that of the models if it is elsewhere. */
export const StorageAnswer = z.object({ folders: z.array(FolderView) });
export type StorageAnswer = z.infer<typeof StorageAnswer>;
