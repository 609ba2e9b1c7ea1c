import { Link } from "@tanstack/react-router";
import { useContext } from "react";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { InkContext, inkClass } from "./ink.tsx";
import type { Size } from "./layout.ts";
import type { Bar, Segment } from "./picture.ts";
import { fleetTexts } from "./texts.ts";

interface MemoryBarProps {
  bar: Bar;
  size: Size;
  /** Its label stands beside it. */
  isDense: boolean;
}

/** A memory, filled by models, what others use, and what is free. */
export function MemoryBar({ bar, size, isDense }: MemoryBarProps) {
  const t = useTexts(fleetTexts);
  const { bytes } = useFormat();
  const { name, description, totalBytes, segments } = bar;
  const isHost = name === "host";
  const usedBytes = segments.reduce((sum, one) => sum + (one.kind === "free" ? 0 : one.bytes), 0);
  const used =
    segments.length === 0 ? bytes(totalBytes) : `${bytes(usedBytes)} / ${bytes(totalBytes)}`;
  const label = isHost ? t("host_memory") : isDense ? name : description;
  return (
    <div className={isDense ? "memory is-dense" : "memory"}>
      {size !== "small" && (
        <div className="memory-label" aria-hidden="true">
          <span className="cut" title={`${name} · ${description}`}>
            {label}
          </span>
          <span className="number">{used}</span>
        </div>
      )}
      <div className={segments.length === 0 ? "memory-bar is-unknown" : "memory-bar"}>
        {segments.map((segment) => (
          <Part key={segment.model?.model ?? segment.kind} segment={segment} size={size} />
        ))}
      </div>
    </div>
  );
}

function Part({ segment, size }: { segment: Segment; size: Size }) {
  const t = useTexts(fleetTexts);
  const { bytes } = useFormat();
  const inks = useContext(InkContext);
  const { kind, share, model } = segment;
  const style = { width: `${100 * share}%` };
  if (model === undefined) {
    return <span className={`segment is-${kind}`} style={style} aria-hidden="true" />;
  }
  const className = `segment is-${model.state} ${inkClass(inks, model.model)}`;
  if (size === "small") return <span className={className} style={style} />;
  const state = t(`state_${model.state ?? "served"}`);
  return (
    <Link
      {...{ to: "/models" as string, search: { model: model.model } as never, className, style }}
      data-model={model.model}
    >
      <span className="segment-name">{model.model}</span>{" "}
      <span className="segment-bytes number">{bytes(segment.bytes)}</span>
      <span className="unseen"> {state}</span>
    </Link>
  );
}
