import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog } from "@base-ui/react/dialog";
import { type ReactNode, useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { useOpener } from "./opener.ts";
import { partsTexts } from "./texts.ts";
import { sayFailed } from "./toast.tsx";

interface OpenState {
  isOpen: boolean;
  onClose(): void;
}

interface WindowProps extends OpenState {
  title: string;
  /** Only its own buttons close it: what it shows is lost then. */
  isKept?: boolean;
  children: ReactNode;
}

/** A window over the screen, closed by Escape, ×, or beside it. */
export function Window({ isOpen, onClose, title, isKept = false, children }: WindowProps) {
  const t = useTexts(partsTexts);
  const opener = useOpener(isOpen);
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => open || isKept || onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="window" finalFocus={opener}>
          <div className="window-head">
            <Dialog.Title className="window-title">{title}</Dialog.Title>
            {!isKept && (
              <Dialog.Close className="icon-button" aria-label={t("close")}>
                <Icon name="close" />
              </Dialog.Close>
            )}
          </div>
          <div className="window-body">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ConfirmProps extends OpenState {
  title: string;
  /** What is lost. */
  text: string;
  /** What the button does, in a word. */
  action: string;
  /** What went wrong, as the title of the message. */
  failure: string;
  run(): Promise<unknown>;
}

/** Asks before something is lost, and says what. */
export function Confirm(props: ConfirmProps) {
  const { isOpen, onClose, title, text, action, failure, run } = props;
  const t = useTexts(partsTexts);
  const opener = useOpener(isOpen);
  const [isBusy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    try {
      await run();
      onClose();
    } catch (error) {
      sayFailed(failure, error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => open || onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="window is-small" finalFocus={opener}>
          <AlertDialog.Title className="window-title">{title}</AlertDialog.Title>
          <AlertDialog.Description className="window-text">{text}</AlertDialog.Description>
          <div className="row is-end">
            <AlertDialog.Close className="button is-plain">{t("cancel")}</AlertDialog.Close>
            <Button kind="danger" isBusy={isBusy} onClick={() => void confirm()}>
              {action}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
