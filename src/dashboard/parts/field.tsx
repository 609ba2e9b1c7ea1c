import { type InputHTMLAttributes, type ReactNode, useId } from "react";

interface FieldProps {
  label: string;
  /** What it is for, or what it must be. */
  hint?: string | undefined;
  /** What is wrong with it. */
  error?: string | undefined;
}

interface TextFieldProps
  extends FieldProps,
    Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value" | "id"> {
  value: string;
  onChange(value: string): void;
}

/** A line of text with its label. */
export function TextField({ label, hint, error, onChange, ...input }: TextFieldProps) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(own) => (
        <input
          {...input}
          {...own}
          className="input"
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Labelled>
  );
}

interface TextAreaProps extends FieldProps {
  value: string;
  onChange(value: string): void;
  rows: number;
  /** People read it, not programs. */
  isProse?: boolean;
}

/** Several lines of text with their label. */
export function TextArea({ label, hint, error, onChange, isProse, ...area }: TextAreaProps) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(own) => (
        <textarea
          {...area}
          {...own}
          className={isProse ? "input" : "input mono"}
          spellCheck={isProse === true}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Labelled>
  );
}

interface ChoiceProps<T extends string> extends FieldProps {
  value: T;
  options: readonly { value: T; text: string }[];
  onChange(value: T): void;
  disabled?: boolean;
}

/** One of several. */
export function Choice<T extends string>({ options, onChange, ...rest }: ChoiceProps<T>) {
  const { label, hint, error, value, disabled = false } = rest;
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(own) => (
        <select
          {...own}
          className="input"
          value={value}
          disabled={disabled}
          onChange={(event) => onChange(event.target.value as T)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

interface OwnProps {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
}

/** A label, what it labels, and what is said about that. */
function Labelled(props: FieldProps & { children(own: OwnProps): ReactNode }) {
  const { label, hint, error, children } = props;
  const id = useId();
  const about = error ?? hint;
  const own: OwnProps = {
    id,
    ...(about !== undefined && { "aria-describedby": `${id}-about` }),
    ...(error !== undefined && { "aria-invalid": true as const }),
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(own)}
      {about !== undefined && (
        <span id={`${id}-about`} className={error === undefined ? "hint" : "hint is-bad"}>
          {about}
        </span>
      )}
    </div>
  );
}
