import { type Format, useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { type Bar, type HostPicture, stateWord } from "./picture.ts";
import { type FleetText, fleetTexts } from "./texts.ts";

/** Says in words what a host's drawing shows. */
export function useSummary(): (picture: HostPicture) => string {
  const t = useTexts(fleetTexts);
  const format = useFormat();
  return (picture) => summaryOf(picture, t, format);
}

function summaryOf(picture: HostPicture, t: Translate<FleetText>, { bytes, count }: Format) {
  const { endpoint, condition, load, bars, loose } = picture;
  const loosely = loose.map((one) => `${one.model} (${t(`state_${stateWord(picture, one)}`)})`);
  const { more } = endpoint.host;
  if (more > 0) loosely.push(t("more", { number: count(more) }));
  return [
    `${t(`condition_${condition}`)}.`,
    t("about_slots", { active: count(load.active), slots: count(endpoint.slots_in_effect) }),
    ...bars.filter(({ segments }) => segments.length > 0).map((bar) => barText(bar, t, bytes)),
    ...(loosely.length === 0 ? [] : [t("about_models", { models: loosely.join(", ") })]),
  ].join(" ");
}

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
