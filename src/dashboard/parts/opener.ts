import { useState } from "react";

/** What had the focus outside of all windows when the first of those that are open was opened. */
let opener: WeakRef<HTMLElement> | undefined;

/**
 * Where the focus goes once a window closes: back to what opened it, or to the screen, if that is
 * gone. A field of the window may have taken the focus before any effect of it runs, and a window
 * may follow another, so it is looked at while the window is drawn first.
 */
export function useOpener(isOpen: boolean): () => HTMLElement | true {
  const [wasOpen, setWasOpen] = useState(false);
  if (isOpen !== wasOpen) {
    setWasOpen(isOpen);
    if (isOpen) rememberOpener();
  }
  return () => {
    const element = opener?.deref();
    if (element?.isConnected) return element;
    return document.getElementById("content") ?? true;
  };
}

function rememberOpener(): void {
  if (document.querySelector(".window") !== null) return; // this one follows another
  const { activeElement: active } = document;
  const isChosen = active instanceof HTMLElement && active !== document.body;
  opener = isChosen ? new WeakRef(active) : undefined;
}
