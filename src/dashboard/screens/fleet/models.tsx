import { Link } from "@tanstack/react-router";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Swatch } from "./ink.tsx";
import type { HostPicture } from "./picture.ts";
import { type ModelSum, modelSums } from "./sums.ts";
import { fleetTexts } from "./texts.ts";

interface ModelStripProps {
  pictures: readonly HostPicture[];
  queues: Readonly<Record<string, number>>;
}

const SHOWN_MAX = 24;
/** A longer queue has no more strokes, but its number. */
const STROKES_MAX = 12;

/** The models in the fleet's memory: how they are drawn, what they work on, and who waits. */
export function ModelStrip({ pictures, queues }: ModelStripProps) {
  const t = useTexts(fleetTexts);
  const { count } = useFormat();
  const sums = modelSums(pictures, queues);
  const rest = sums.length - SHOWN_MAX;
  return (
    <section className="model-strip" aria-label={t("models")}>
      {sums.length === 0 && <p className="muted">{t("models_none")}</p>}
      <ul>
        {sums.slice(0, SHOWN_MAX).map((sum) => (
          <li key={sum.model}>
            <ModelChip sum={sum} />
          </li>
        ))}
        {rest > 0 && <li className="muted">{t("more", { number: count(rest) })}</li>}
      </ul>
    </section>
  );
}

function ModelChip({ sum: { model, state, hosts, active, waiting } }: { sum: ModelSum }) {
  const t = useTexts(fleetTexts);
  const facts = [
    ...(state === "loading" || state === "failed" ? [t(`state_${state}`)] : []),
    ...(hosts > 0 ? [t("on_hosts", { count: hosts })] : []),
    ...(active > 0 ? [t("active", { count: active })] : []),
  ];
  return (
    <Link to="/models/$name" params={{ name: model } as never} className="model-chip">
      <Swatch model={model} state={state ?? "served"} />
      <span className="model-chip-name cut" title={model}>
        {model}
      </span>
      <span className="model-chip-facts number">{facts.join(" · ")}</span>
      {waiting > 0 && (
        <span className="queue">
          <span className="queue-strokes" aria-hidden="true">
            {Array.from({ length: Math.min(waiting, STROKES_MAX) }, (_, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: one is as good as another
              <span key={i} />
            ))}
          </span>
          <span className="number">{t("waiting_count", { count: waiting })}</span>
        </span>
      )}
    </Link>
  );
}
