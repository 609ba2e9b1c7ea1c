import { Link, useNavigate } from "@tanstack/react-router";
import { memo } from "react";
import type { HostModel } from "../../../wire/host.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { kindName } from "../endpoints/status.tsx";
import { Memories } from "./bar.tsx";
import { Swatch } from "./ink.tsx";
import type { Size } from "./layout.ts";
import { ConditionBadge, Mark } from "./mark.tsx";
import { type HostPicture, modelLines, stateWord } from "./picture.ts";
import { SlotCells } from "./slots.tsx";
import { Summary } from "./summary.tsx";
import { fleetTexts } from "./texts.ts";

interface HostProps {
  picture: HostPicture;
  size: Size;
  /** Where it stands on the map, in pixels. */
  left: number;
  top: number;
  width: number;
  height: number;
  /** Its place among all, from 1, and how many there are. */
  place: number;
  count: number;
}

/** A host on the map. The mouse opens its page anywhere but on a model; keys by its name. */
export const Host = memo(function Host(props: HostProps) {
  const { picture, size, left, top, width, height, place, count } = props;
  const navigate = useNavigate();
  const { endpoint, condition, load, cells, bars } = picture;
  const { id, name, slots_in_effect: slots } = endpoint;
  const isSmall = size === "small";
  const open = () => void navigate({ to: "/endpoints/$id", params: { id } as never });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys have the link in it
    <li
      {...{ className: `host is-${size} is-${condition}`, "data-host": id }}
      style={{ transform: `translate(${left}px, ${top}px)`, width, height }}
      {...{ "aria-setsize": count, "aria-posinset": place }}
      onClick={(event) => isOwnClick(event.target) && open()}
    >
      <div className="host-head">
        <Mark condition={condition} />
        <HostName id={id} name={name} />
        {!isSmall && (
          <span className="host-load number" aria-hidden="true">
            <strong>{load.active}</strong> / {slots}
          </span>
        )}
      </div>
      <Summary picture={picture} />
      {!isSmall && <Subline picture={picture} />}
      {bars.length > 0 && <Memories bars={bars} size={size} />}
      <SlotCells {...{ cells, slots, active: load.active, size }} />
      {!isSmall && <Lines picture={picture} size={size} />}
    </li>
  );
});

const HostName = memo(function HostName({ id, name }: { id: string; name: string }) {
  return (
    <Link
      {...{ to: "/endpoints/$id", params: { id } as never, className: "host-name" }}
      aria-describedby={`host-${id}`}
    >
      {name}
    </Link>
  );
});

function Subline({ picture: { endpoint, condition } }: { picture: HostPicture }) {
  const t = useTexts(fleetTexts);
  const { kind, lending } = endpoint;
  const words = [
    ...(kind === null ? [] : [kindName(kind)]),
    ...(lending === undefined
      ? []
      : [t("lends", { loans: lending.loans, max: lending.loans_max })]),
  ];
  return (
    <div className="host-about">
      <span className="cut">{words.join(" · ")}</span>
      {condition !== "online" && <ConditionBadge condition={condition} />}
    </div>
  );
}

function Lines({ picture, size }: { picture: HostPicture; size: Size }) {
  const t = useTexts(fleetTexts);
  const { bytes, count } = useFormat();
  const { shown, rest } = modelLines(picture, size);
  if (shown.length === 0 && rest === 0) return null;
  const factsOf = (model: HostModel) => {
    const active = picture.load.models[model.model] ?? 0;
    const word = stateWord(picture, model);
    const sizeBytes = word === "cold" ? 0 : (model.size_bytes ?? 0);
    return [
      ...(active > 0 ? [t("active", { count: active })] : []),
      ...(sizeBytes > 0 ? [bytes(sizeBytes)] : []),
      ...(model.pinned ? [t("pinned")] : []),
      ...(word === "loaded" ? [] : [t(`state_${word}`)]),
    ].join(" · ");
  };
  return (
    <div className="host-lines" aria-hidden="true">
      {shown.map((model) => (
        <div key={model.model} className={`host-line is-${stateWord(picture, model)}`}>
          <Swatch model={model.model} state={stateWord(picture, model)} />
          <span className="cut" title={model.model}>
            {model.model}
          </span>
          <span className="host-line-facts number">{factsOf(model)}</span>
        </div>
      ))}
      {rest > 0 && <div className="host-line muted">{t("more", { number: count(rest) })}</div>}
    </div>
  );
}

/** What can be pressed in a host does its own. */
function isOwnClick(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a, button") === null;
}
