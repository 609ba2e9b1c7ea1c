import type { ReactNode } from "react";

/** What narrows a list down: a text, and what else there is. */
export function Filters(props: {
  /** What the text is looked for in. */
  label: string;
  text: string;
  onText(text: string): void;
  children?: ReactNode;
}) {
  const { label, text, onText, children } = props;
  return (
    <div className="filters">
      <input
        className="input grow"
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
      {children}
    </div>
  );
}

/** One of several values, or "" for any. */
export function FilterChoice(props: {
  label: string;
  value: string;
  /** The first stands for any. */
  options: readonly (readonly [value: string, text: string])[];
  onChange(value: string): void;
}) {
  const { label, value, options, onChange } = props;
  return (
    <select
      className="input"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}
