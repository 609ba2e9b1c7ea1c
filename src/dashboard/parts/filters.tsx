import type { ReactNode } from "react";
import { useTexts } from "../text/i18n.ts";
import { partsTexts } from "./texts.ts";

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

/** A further text that narrows a list down. */
export function FilterText(props: { label: string; text: string; onText(text: string): void }) {
  const { label, text, onText } = props;
  return (
    <input
      className="input is-short"
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => onText(event.target.value)}
    />
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

interface Days {
  from: string;
  to: string;
}

/** From which day to which; "" for any. */
export function FilterDays({ from, to, onChange }: Days & { onChange(days: Partial<Days>): void }) {
  const t = useTexts(partsTexts);
  return (
    <span className="filter-days">
      <FilterDay label={t("from")} value={from} onChange={(day) => onChange({ from: day })} />
      <FilterDay label={t("to")} value={to} onChange={(day) => onChange({ to: day })} />
    </span>
  );
}

function FilterDay(props: { label: string; value: string; onChange(day: string): void }) {
  const { label, value, onChange } = props;
  return (
    <label className="filter-day">
      <span>{label}</span>
      <input
        className="input"
        type="date"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
