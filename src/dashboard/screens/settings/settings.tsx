import type { SettingsAnswer } from "../../../wire/settings.ts";
import { THEMES, useTheme } from "../../app/theme.ts";
import { Choice } from "../../parts/field.tsx";
import { Facts, Page, Panel } from "../../parts/page.tsx";
import { Loaded } from "../../parts/states.tsx";
import { LANGUAGES, type Language, useLanguage, useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { useSettings } from "./calls.ts";
import { SettingList } from "./list.tsx";
import { Nodes } from "./nodes.tsx";
import { Storage } from "./storage.tsx";
import { settingsTexts } from "./texts.ts";
import { VERSION_PARTS } from "./versions.ts";

/** The settings in effect, what runs where, what takes room, and the look of the page. */
export function SettingsScreen() {
  const query = useSettings();
  return (
    <Page title={useTitle("settings")}>
      <Loaded query={query}>
        {(answer) => (
          <>
            {answer.warnings.map((warning) => (
              <div key={warning} className="note is-warn">
                {warning}
              </div>
            ))}
            <Versions answer={answer} />
            <Nodes own={answer.versions} />
            <Storage />
            <PageLook />
            <SettingList answer={answer} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Versions({ answer }: { answer: SettingsAnswer }) {
  const t = useTexts(settingsTexts);
  const { versions, platform } = answer;
  return (
    <Panel title={t("versions")}>
      <Facts
        facts={[
          ...VERSION_PARTS.map((part) => [t(part), versions[part]] as const),
          [t("platform"), platform],
        ]}
      />
    </Panel>
  );
}

function PageLook() {
  const t = useTexts(settingsTexts);
  const [theme, setTheme] = useTheme();
  const [language, setLanguage] = useLanguage();
  return (
    <Panel title={t("look")} actions={<span className="hint">{t("look_hint")}</span>}>
      <div className="panel-body field-grid">
        <Choice
          {...{ label: t("theme"), value: theme, onChange: setTheme }}
          options={THEMES.map((value) => ({ value, text: t(`theme_${value}`) }))}
        />
        <Choice
          {...{ label: t("language"), value: language, onChange: setLanguage }}
          options={(Object.keys(LANGUAGES) as Language[]).map((value) => ({
            ...{ value, text: LANGUAGES[value] },
          }))}
        />
      </div>
    </Panel>
  );
}
