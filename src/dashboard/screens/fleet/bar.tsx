import { Link } from "@tanstack/react-router";
import { memo, useContext } from "react";
import { type Format, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { InkContext, inkClass } from "./ink.tsx";
import type { Inks } from "./inks.ts";
import { BARS_ROOMY_MAX, type Size } from "./layout.ts";
import type { Bar, Segment } from "./picture.ts";
import { type FleetText, fleetTexts } from "./texts.ts";

/** What all parts of a host's memories are drawn with: asked for once, there are many of them. */
interface Drawing {
  size: Size;
  inks: Inks;
  t: Translate<FleetText>;
  bytes: Format["bytes"];
}

/** The memories of a host, drawn anew only when something else is in them. */
export const Memories = memo(function Memories(props: { bars: readonly Bar[]; size: Size }) {
  const { bars, size } = props;
  const t = useTexts(fleetTexts);
  const { bytes } = useFormat();
  const drawing = { size, inks: useContext(InkContext), t, bytes };
  return (
    <div className="memories">
      {bars.map((bar) => (
        <MemoryBar key={bar.name} {...{ bar, drawing }} isDense={bars.length > BARS_ROOMY_MAX} />
      ))}
    </div>
  );
});

interface MemoryBarProps {
  bar: Bar;
  drawing: Drawing;
  /** Its label stands beside it. */
  isDense: boolean;
}

/** A memory, filled by models, what others use, and what is free. */
function MemoryBar({ bar, drawing, isDense }: MemoryBarProps) {
  const { name, segments } = bar;
  const isSmall = drawing.size === "small";
  return (
    <div className={isDense && !isSmall ? "memory is-dense" : "memory"}>
      {!isSmall && <Label {...{ bar, drawing, isDense }} />}
      <div className={segments.length === 0 ? "memory-bar is-unknown" : "memory-bar"}>
        {segments.map((segment) => (
          <Part key={segment.model?.model ?? `${name} ${segment.kind}`} {...{ segment, drawing }} />
        ))}
      </div>
    </div>
  );
}

function Label({ bar, drawing: { t, bytes }, isDense }: MemoryBarProps) {
  const { name, description, totalBytes, segments } = bar;
  const used = segments.reduce((sum, one) => sum + (one.kind === "free" ? 0 : one.bytes), 0);
  const label = name === "host" ? t("host_memory") : isDense ? name : description;
  return (
    <div className="memory-label" aria-hidden="true">
      <span className="cut" title={`${name} · ${description}`}>
        {label}
      </span>
      <span className="number">
        {segments.length > 0 && `${bytes(used)} / `}
        {bytes(totalBytes)}
      </span>
    </div>
  );
}

function Part({ segment, drawing }: { segment: Segment; drawing: Drawing }) {
  const { size, inks, t, bytes } = drawing;
  const { kind, share, model } = segment;
  const style = { width: `${100 * share}%` };
  if (model === undefined) {
    return <span className={`part is-${kind}`} style={style} aria-hidden="true" />;
  }
  const className = `part is-${model.state} ${inkClass(inks, model.model)}`;
  if (size === "small") return <span className={className} style={style} />;
  return (
    <Link
      {...{ to: "/models/$name", params: { name: model.model } as never, className, style }}
      data-model={model.model}
    >
      <span className="part-name">{model.model}</span>{" "}
      <span className="part-bytes number">{bytes(segment.bytes)}</span>
      <span className="unseen"> {t(`state_${model.state ?? "served"}`)}</span>
    </Link>
  );
}
