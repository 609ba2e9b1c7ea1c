import type { ButtonHTMLAttributes, MouseEvent, ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type"> {
  kind?: "plain" | "primary" | "danger";
  icon?: IconName;
  /** What it does is under way: it cannot be pressed again. */
  isBusy?: boolean;
  /** It sends the form around it. */
  submits?: boolean;
  children: ReactNode;
}

/** A button with words. */
export function Button(props: ButtonProps) {
  const { kind = "plain", icon, isBusy = false, submits = false, children, ...rest } = props;
  // It keeps the focus, which it would lose if it were disabled. Enter in a form clicks it, too.
  const refuse = (event: MouseEvent) => event.preventDefault();
  return (
    <button
      {...rest}
      type={submits ? "submit" : "button"}
      className={`button is-${kind}`}
      {...(isBusy && { onClick: refuse, "aria-disabled": true, "aria-busy": true })}
    >
      {isBusy ? <span className="spinner" /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Pick<ButtonProps, "onClick" | "disabled"> {
  icon: IconName;
  label: string;
  /** It turns something on and off; this is which. */
  isPressed?: boolean;
}

/** A button that shows only an icon; its words are for screen readers and the mouse. */
export function IconButton({ icon, label, isPressed, ...rest }: IconButtonProps) {
  return (
    <button
      {...rest}
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={isPressed}
    >
      <Icon name={icon} />
    </button>
  );
}
