import { Toast } from "@base-ui/react/toast";
import type { ReactNode } from "react";
import { errorMessage } from "../../lib/errormessage.ts";
import { useTexts } from "../text/i18n.ts";
import { Icon } from "./icon.tsx";
import { partsTexts } from "./texts.ts";

/** What went well goes by itself, after long enough to read it. */
const SHOWN_MS = 6000;
const SHOWN_MAX = 4;

const toasts = Toast.createToastManager();

/** Says that something was done. */
export function sayDone(title: string, text?: string): void {
  toasts.add({ title, description: text, type: "done", timeout: SHOWN_MS });
}

/** Says that something failed and why; it stays until it is closed. */
export function sayFailed(title: string, reason: unknown): void {
  const description = errorMessage(reason);
  toasts.add({ title, description, type: "failed", timeout: 0, priority: "high" });
}

/** Shows what `sayDone` and `sayFailed` say, above everything. */
export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={toasts} timeout={SHOWN_MS} limit={SHOWN_MAX}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  const t = useTexts(partsTexts);
  return Toast.useToastManager().toasts.map((toast) => (
    // Neither it nor its × is hidden from anybody, even if no mouse is over it.
    <Toast.Root
      key={toast.id}
      {...{ toast, "aria-hidden": false }}
      className={`toast is-${toast.type}`}
    >
      <Toast.Content className="toast-content">
        <Toast.Title className="toast-title" />
        <Toast.Description className="toast-text" />
      </Toast.Content>
      <Toast.Close className="icon-button" aria-label={t("close")} aria-hidden={false}>
        <Icon name="close" />
      </Toast.Close>
    </Toast.Root>
  ));
}
