import type { ReactNode } from "react";
import { useTexts } from "../text/i18n.ts";
import { partsTexts } from "./texts.ts";

interface SearchProps {
  /** What the text is looked for in. */
  label: string;
  text: string;
  onText(text: string): void;
}

/** What narrows a list down: a text, and what else there is. */
export function Filters({ children, ...search }: SearchProps & { children?: ReactNode }) {
  return (
    <div className="filters">
      <Search {...search} size="grow" />
      {children}
    </div>
  );
}

/** A further text that narrows a list down. */
export function FilterText(search: SearchProps) {
  return <Search {...search} size="is-short" />;
}

function Search({ label, text, onText, size }: SearchProps & { size: "grow" | "is-short" }) {
  return (
    <input
      className={`input ${size}`}
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
