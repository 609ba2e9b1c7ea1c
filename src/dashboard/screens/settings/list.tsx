import { useMemo } from "react";
import type { SettingsAnswer, SettingView } from "../../../wire/settings.ts";
import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Panel } from "../../parts/page.tsx";
import { Empty } from "../../parts/states.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useLanguage, useTexts } from "../../text/i18n.ts";
import { chosenSettings, SOURCES } from "./choice.ts";
import { HELP_JA } from "./help/texts.ts";
import { DEFAULTS } from "./state.ts";
import { settingsTexts } from "./texts.ts";

const GROUPS = {
  Server: "group_server",
  Joining: "group_joining",
  Models: "group_models",
  Endpoints: "group_endpoints",
  Clouds: "group_clouds",
  Limits: "group_limits",
  "Files and logs": "group_files_and_logs",
} as const;

/** All settings by their groups, searched and chosen by where they come from. */
export function SettingList({ answer }: { answer: SettingsAnswer }) {
  const { settings, file, file_exists } = answer;
  const t = useTexts(settingsTexts);
  const [{ search, source }, change] = useUrlState(DEFAULTS);
  const helpOf = useHelp();
  const groups = useMemo(
    () => chosenSettings(settings, { search, source }, helpOf),
    [settings, search, source, helpOf],
  );
  return (
    <>
      <div className="settings-head">
        <h2>{t("config")}</h2>
        <p className="hint">{t("hint")}</p>
        <p className="hint mono">
          {file_exists ? t("file", { path: file }) : t("file_missing", { path: file })}
        </p>
      </div>
      <Filters label={t("search")} text={search} onText={(text) => change({ search: text })}>
        <FilterChoice
          {...{ label: t("source"), value: source, onChange: (one) => change({ source: one }) }}
          options={["" as const, ...SOURCES].map((one) => [one, t(`source_${one}`)] as const)}
        />
        {(search !== "" || source !== "") && (
          <Button onClick={() => change({ search: "", source: "" })}>{t("filter_none")}</Button>
        )}
      </Filters>
      {groups.length === 0 && (
        <Panel>
          <Empty title={t("no_match")} />
        </Panel>
      )}
      {groups.map((group) => (
        <Panel key={group.name} title={groupName(group.name, t)}>
          {group.settings.map((setting) => (
            <Setting key={setting.name} setting={setting} help={helpOf(setting)} />
          ))}
        </Panel>
      ))}
    </>
  );
}

/** The sentence of a setting in the reader's language; a newer llmlb may have more of them. */
function useHelp(): (setting: SettingView) => string {
  const [language] = useLanguage();
  return useMemo(
    () =>
      ({ name, help }: SettingView) =>
        (language === "ja" ? HELP_JA[name] : undefined) ?? help,
    [language],
  );
}

function groupName(name: string, t: (key: (typeof GROUPS)[keyof typeof GROUPS]) => string): string {
  const key = Object.entries(GROUPS).find(([group]) => group === name)?.[1];
  return key === undefined ? name : t(key);
}

function Setting({ setting, help }: { setting: SettingView; help: string }) {
  const t = useTexts(settingsTexts);
  const { name, flags, variable, text, secret, source, from, reload, in_file } = setting;
  const isSet = source !== "default";
  const ways = [flags, variable, in_file ? `"${name}"` : null].filter((way) => way !== null);
  return (
    <div className="setting">
      <div className="setting-about">
        <span className="row">
          <span className="mono setting-name">{name}</span>
          {reload && <Badge tone="quiet">{t("live")}</Badge>}
        </span>
        <span className="setting-help">{help}</span>
        <span className="mono hint setting-ways">{ways.join(" · ")}</span>
      </div>
      <div className={isSet ? "mono setting-value is-set" : "mono setting-value"}>
        {secret && text !== "none" && isSet ? <Badge tone="quiet">{t("hidden")}</Badge> : text}
      </div>
      <div className="setting-source">
        <Badge tone={isSet ? "accent" : "quiet"}>{t(`source_${source}`)}</Badge>
        {isSet && <span className="mono hint">{from}</span>}
      </div>
    </div>
  );
}
