import { Dialog } from "@base-ui/react/dialog";
import { Outlet, useLocation, useMatches } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { needsLogin, useMay, useMe, userIdOf } from "../api/account.ts";
import { useIsLive } from "../live/stream.ts";
import { LiveUpdates } from "../live/updates.tsx";
import { Icon } from "../parts/icon.tsx";
import { Empty, Loading } from "../parts/states.tsx";
import { SCREENS } from "../screens/screens.ts";
import { useTexts } from "../text/i18n.ts";
import { Invited } from "./invited.tsx";
import { LiveDot, Navigation } from "./navigation.tsx";
import { NotLive } from "./notlive.tsx";
import { appTexts } from "./texts.ts";

/** Whoever is logged in does not need its code. */
const LoginScreen = lazy(async () => ({
  default: (await import("../screens/login/login.tsx")).LoginScreen,
}));

/** The frame around all screens; what needs a log-in shows that first. */
export function Shell() {
  const t = useTexts(appTexts);
  const me = useMe();
  const [wasIn, setWasIn] = useState(false);
  const reader = useRef<string | undefined>(undefined);
  const isIn = me.data !== undefined && !needsLogin(me.data);
  useEffect(() => {
    if (isIn) setWasIn(true);
  }, [isIn]);
  if (me.data === undefined) {
    if (me.isError) return <Empty title={t("unreachable")} text={me.error.message} />;
    return <Loading />;
  }
  if (isIn) reader.current = userIdOf(me.data);
  if (!isIn && !wasIn) {
    return (
      <Suspense fallback={<Loading />}>
        <LoginScreen me={me.data} />
      </Suspense>
    );
  }
  return (
    <>
      <Frame key={reader.current ?? ""} />
      {isIn ? <LiveUpdates /> : <LoginOver />}
    </>
  );
}

/** A log-in that ended in the middle of work: what is on the screen stays as it is behind it. */
function LoginOver() {
  const me = useMe();
  return (
    <Dialog.Root open>
      <Dialog.Portal>
        <Dialog.Popup className="login-over">
          <Suspense fallback={<Loading />}>
            {me.data !== undefined && <LoginScreen me={me.data} isAgain />}
          </Suspense>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Frame() {
  const t = useTexts(appTexts);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const isLive = useIsLive();
  const { pathname } = useLocation();
  const content = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    setMenuOpen(false);
    // Who has chosen another screen goes on there, unless a field of it has the focus already.
    if (content.current?.contains(document.activeElement) === false) {
      content.current.focus({ preventScroll: true });
    }
  }, [pathname]);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t("skip")}
      </a>
      <aside className="sidebar">
        <Navigation />
      </aside>
      <header className="topbar">
        <Dialog.Root open={isMenuOpen} onOpenChange={setMenuOpen}>
          <Dialog.Trigger className="icon-button" aria-label={t("menu")}>
            <Icon name="menu" />
          </Dialog.Trigger>
          <Dialog.Portal>
            <Dialog.Backdrop className="backdrop" />
            <Dialog.Popup className="drawer" aria-label={t("main_navigation")}>
              <Navigation />
            </Dialog.Popup>
          </Dialog.Portal>
        </Dialog.Root>
        <span className="brand">llmlb</span>
        {!isLive && <LiveDot />}
      </header>
      <main id="content" className="content" tabIndex={-1} ref={content}>
        <NotLive />
        <Invited>
          <Allowed />
        </Invited>
      </main>
    </div>
  );
}

/** The screen of the address, unless the reader may not see it. */
function Allowed() {
  const t = useTexts(appTexts);
  const me = useMe();
  const may = useMay();
  const route = useMatches().at(-1)?.fullPath;
  const screen = SCREENS.find(({ path, below = [] }) =>
    [path, ...below.map((one) => one.path)].some((one) => one === route),
  );
  // Who has to log in again finds everything as it was.
  const isKept = me.data === undefined || needsLogin(me.data);
  const { permission } = screen ?? {};
  if (isKept || permission === undefined || may(permission)) return <Outlet />;
  return <Empty title={t("not_allowed")} text={t("not_allowed_text")} />;
}
