import { Link } from "@tanstack/react-router";
import { logOut, useMay, useMe } from "../api/account.ts";
import { useIsLive } from "../live/stream.ts";
import { Icon } from "../parts/icon.tsx";
import type { Screen } from "../screens/screen.ts";
import { SCREENS } from "../screens/screens.ts";
import { useTitle } from "../screens/titles.ts";
import { LANGUAGES, type Language, useLanguage, useTexts } from "../text/i18n.ts";
import { appTexts } from "./texts.ts";
import { THEMES, type Theme, useTheme } from "./theme.ts";

/** The screens that the reader may see, and the switches below them. */
export function Navigation() {
  const t = useTexts(appTexts);
  const may = useMay();
  const me = useMe();
  const user = me.data?.access === "required" ? me.data.user : null;
  const shown = SCREENS.filter(({ permission }) => permission === undefined || may(permission));
  return (
    <>
      <div className="sidebar-head">
        <Logo />
        <LiveDot />
      </div>
      <nav aria-label={t("main_navigation")} className="nav">
        {shown.map((screen) => (
          <NavLink key={screen.name} screen={screen} />
        ))}
      </nav>
      <div className="sidebar-foot">
        <ThemeSwitch />
        <LanguageSwitch />
        {user !== null && (
          <div className="who">
            <span className="who-name" title={user.username}>
              {user.username}
            </span>
            <button type="button" className="link" onClick={() => void logOut()}>
              {t("log_out")}
            </button>
          </div>
        )}
      </div>
    </>
  );
}

function NavLink({ screen: { name, path, icon } }: { screen: Screen }) {
  return (
    <Link to={path} className="nav-link" activeOptions={{ exact: path === "/" }}>
      <Icon name={icon} />
      {useTitle(name)}
    </Link>
  );
}

/** The name and the sign of the program. */
export function Logo() {
  return (
    <span className="logo">
      <Icon name="logo" />
      llmlb
    </span>
  );
}

/** Whether what is shown follows what happens. */
export function LiveDot() {
  const t = useTexts(appTexts);
  const isLive = useIsLive();
  const text = isLive ? t("live") : t("not_live");
  return (
    <span className={isLive ? "live is-live" : "live"} title={text} role="status">
      <span className="live-dot" />
      <span className="live-text">{isLive ? t("live") : t("connecting")}</span>
    </span>
  );
}

function ThemeSwitch() {
  const t = useTexts(appTexts);
  const [theme, setTheme] = useTheme();
  return (
    <label className="switch">
      <span>{t("theme")}</span>
      <select value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {t(`theme_${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The choice of the language; it stands on the log-in page, too. */
export function LanguageSwitch() {
  const t = useTexts(appTexts);
  const [language, setLanguage] = useLanguage();
  return (
    <label className="switch">
      <span>{t("language")}</span>
      <select value={language} onChange={(event) => setLanguage(event.target.value as Language)}>
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
