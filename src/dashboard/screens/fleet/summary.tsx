import { memo } from "react";
import { type Format, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { type Bar, type HostPicture, stateWord } from "./picture.ts";
import { type FleetText, fleetTexts } from "./texts.ts";

/** What a host's drawing shows, in words, for those who do not see it. */
export function Summary({ picture }: { picture: HostPicture }) {
  const t = useTexts(fleetTexts);
  const { endpoint, condition, load, bars, loose } = picture;
  const { id, slots_in_effect: slots, host } = endpoint;
  return (
    <p className="unseen" id={`host-${id}`}>
      {t(`condition_${condition}`)}. {t("about_slots", { active: load.active, slots })}{" "}
      <Contents {...{ bars, loose, condition, more: host.more }} />
    </p>
  );
}

type ContentsProps = Pick<HostPicture, "bars" | "loose" | "condition"> & { more: number };

/** What is in the memories, told anew only when that is something else. */
const Contents = memo(function Contents({ bars, loose, condition, more }: ContentsProps) {
  const t = useTexts(fleetTexts);
  const { bytes, count } = useFormat();
  const models = [
    ...loose.map((one) => `${one.model} (${t(`state_${stateWord({ condition }, one)}`)})`),
    ...(more > 0 ? [t("more", { number: count(more) })] : []),
  ];
  const told = bars.filter(({ segments }) => segments.length > 0);
  return [
    ...told.map((bar) => barText(bar, t, bytes)),
    ...(models.length === 0 ? [] : [t("about_models", { models: models.join(", ") })]),
  ].join(" ");
});

/** A memory's parts, in words. */
function barText(bar: Bar, t: Translate<FleetText>, bytes: Format["bytes"]): string {
  const parts = bar.segments.map(({ kind, bytes: size, model }) => {
    if (kind === "free") return t("about_free", { bytes: bytes(size) });
    if (model === undefined) return t("about_rest", { bytes: bytes(size) });
    const state = t(`state_${model.state ?? "served"}`);
    return t("in_memory", { model: model.model, bytes: bytes(size), state });
  });
  const device = bar.name === "host" ? t("host_memory") : bar.description;
  return `${t("about_bar", { device, parts: parts.join("; ") })}.`;
}
