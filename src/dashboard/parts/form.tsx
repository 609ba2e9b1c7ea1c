import { useEffect, useRef } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { partsTexts } from "./texts.ts";

/** Why what a form asked for came to nothing. */
export function Refusal({ title, text }: { title: string; text: string }) {
  return (
    <div className="note is-bad" role="alert">
      <strong>{title}</strong> {text}
    </div>
  );
}

interface FormEndProps {
  /** What leaves the form. Default: Cancel. */
  leave?: string;
  onLeave(): void;
  /** What sends the form, in a word. */
  action: string;
  isBusy: boolean;
  disabled?: boolean;
}

/**
 * The last row of a form in a window: it is left, or sent. If it was sent in vain, the focus goes
 * to the first field that is wrong.
 */
export function FormEnd({ leave, onLeave, action, isBusy, disabled = false }: FormEndProps) {
  const t = useTexts(partsTexts);
  const row = useRef<HTMLDivElement>(null);
  const wasBusy = useRef(false);
  useEffect(() => {
    const form = row.current?.closest("form");
    if (wasBusy.current && !isBusy && form) focusFault(form);
    wasBusy.current = isBusy;
  }, [isBusy]);
  return (
    <div className="row is-end" ref={row}>
      <Button onClick={onLeave}>{leave ?? t("cancel")}</Button>
      <Button kind="primary" submits isBusy={isBusy} disabled={disabled}>
        {action}
      </Button>
    </div>
  );
}

/** The focus goes to the first field of a form that is wrong, if there is one. */
export function focusFault(form: HTMLFormElement): void {
  form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
}
