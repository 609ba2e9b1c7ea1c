import type { FolderView } from "../../../wire/settings.ts";
import { Panel } from "../../parts/page.tsx";
import { Progress } from "../../parts/progress.tsx";
import { Loaded } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useStorage } from "./calls.ts";
import { settingsTexts } from "./texts.ts";

/** With less than this, or this share of it, a disk is nearly full. */
const LOW_BYTES = 2 * 2 ** 30;
const LOW_SHARE = 0.03;
/** So many are told one by one, and none that is smaller and unknown. */
const ENTRIES_MAX = 8;
const ENTRY_BYTES_MIN = 100_000;

/** What of it is known by its name. */
const KNOWN = {
  "audit.db": "entry_audit_db",
  "config.json": "entry_config_json",
  "history.db": "entry_history_db",
  "lb.db": "entry_lb_db",
  logs: "entry_logs",
  models: "entry_models",
  native: "entry_native",
  prompts: "entry_prompts",
} as const;

/** What takes how much room in the data folder, and how much of its disk is free. */
export function Storage() {
  const t = useTexts(settingsTexts);
  const query = useStorage();
  return (
    <Panel title={t("storage")}>
      <Loaded query={query}>
        {({ folders }) => (
          <div className="panel-body folders">
            {folders.map((folder) => (
              <Folder key={folder.path} folder={folder} />
            ))}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function Folder({ folder }: { folder: FolderView }) {
  const t = useTexts(settingsTexts);
  const { bytes } = useFormat();
  const { path, disk_free_bytes: free, disk_total_bytes: total, truncated } = folder;
  const isLow = free < LOW_BYTES || free < LOW_SHARE * total;
  const disk = t("free", { free: bytes(free), total: bytes(total) });
  return (
    <div className="folder">
      <div className="folder-head">
        <span className="mono">{path}</span>
        <span className="muted number">{disk}</span>
      </div>
      <Progress label={disk} share={total === 0 ? undefined : 1 - free / total} />
      {isLow && <div className="note is-warn">{t("disk_low")}</div>}
      <Entries entries={folder.entries} />
      {truncated && <p className="hint">{t("truncated")}</p>}
    </div>
  );
}

function Entries({ entries }: Pick<FolderView, "entries">) {
  const t = useTexts(settingsTexts);
  const { bytes } = useFormat();
  const nameOf = (name: string) => Object.entries(KNOWN).find(([known]) => known === name)?.[1];
  const shown = entries
    .filter(({ name, bytes: size }) => size >= ENTRY_BYTES_MIN || nameOf(name) !== undefined)
    .slice(0, ENTRIES_MAX);
  const rest = entries.filter((entry) => !shown.includes(entry));
  const restBytes = rest.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <dl className="folder-entries">
      {shown.map((entry) => {
        const known = nameOf(entry.name);
        return (
          <div key={entry.name}>
            <dt>
              <span className="mono">{entry.name}</span>{" "}
              {known !== undefined && <span className="muted">{t(known)}</span>}
            </dt>
            <dd className="number">{bytes(entry.bytes)}</dd>
          </div>
        );
      })}
      {rest.length > 0 && (
        <div>
          <dt className="muted">{t("entry_rest", { count: rest.length })}</dt>
          <dd className="number">{bytes(restBytes)}</dd>
        </div>
      )}
    </dl>
  );
}
