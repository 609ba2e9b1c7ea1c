import { Link, useNavigate } from "@tanstack/react-router";
import { memo } from "react";
import type { EndpointKind } from "../../../wire/endpoint.ts";
import type { HostModel } from "../../../wire/host.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { MemoryBar } from "./bar.tsx";
import { Swatch } from "./ink.tsx";
import { BARS_ROOMY_MAX, type Size } from "./layout.ts";
import { ConditionBadge, Mark } from "./mark.tsx";
import { type HostPicture, modelLines, stateWord } from "./picture.ts";
import { SlotCells } from "./slots.tsx";
import { useSummary } from "./summary.ts";
import { fleetTexts } from "./texts.ts";

/** As those who make them write it. */
export const KIND_NAMES: Record<EndpointKind, string> = {
  ...{ llmlb: "llmlb", llama_server: "llama-server", ollama: "Ollama", vllm: "vLLM" },
  ...{ lm_studio: "LM Studio", openai_compatible: "OpenAI API" },
};

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
        <Link
          {...{ to: "/endpoints/$id", params: { id } as never, className: "host-name" }}
          aria-describedby={`host-${id}`}
        >
          {name}
        </Link>
        {size !== "small" && (
          <span className="host-load number" aria-hidden="true">
            <strong>{load.active}</strong> / {slots}
          </span>
        )}
      </div>
      <Summary picture={picture} />
      {size !== "small" && <Subline picture={picture} />}
      {bars.length > 0 && (
        <div className="memories">
          {bars.map((bar) => (
            <MemoryBar
              key={bar.name}
              {...{ bar, size, isDense: size !== "small" && bars.length > BARS_ROOMY_MAX }}
            />
          ))}
        </div>
      )}
      <SlotCells {...{ cells, slots, active: load.active, size }} />
      {size !== "small" && <Lines picture={picture} size={size} />}
    </li>
  );
});

/** What the drawing shows, in words, for those who do not see it. */
function Summary({ picture }: { picture: HostPicture }) {
  return (
    <p className="unseen" id={`host-${picture.endpoint.id}`}>
      {useSummary()(picture)}
    </p>
  );
}

function Subline({ picture: { endpoint, condition } }: { picture: HostPicture }) {
  const t = useTexts(fleetTexts);
  const { kind, lending } = endpoint;
  const words = [
    ...(kind === null ? [] : [KIND_NAMES[kind]]),
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
  const { count } = useFormat();
  const { shown, rest } = modelLines(picture, size);
  if (shown.length === 0 && rest === 0) return null;
  return (
    <div className="host-lines" aria-hidden="true">
      {shown.map((model) => (
        <Line key={model.model} picture={picture} model={model} />
      ))}
      {rest > 0 && <div className="host-line muted">{t("more", { number: count(rest) })}</div>}
    </div>
  );
}

function Line({ picture, model }: { picture: HostPicture; model: HostModel }) {
  const t = useTexts(fleetTexts);
  const { bytes } = useFormat();
  const { model: name, size_bytes, pinned } = model;
  const active = picture.load.models[name] ?? 0;
  const word = stateWord(picture, model);
  const facts = [
    ...(active > 0 ? [t("active", { count: active })] : []),
    ...(size_bytes === undefined || word === "cold" ? [] : [bytes(size_bytes)]),
    ...(pinned ? [t("pinned")] : []),
    ...(word === "loaded" ? [] : [t(`state_${word}`)]),
  ];
  return (
    <div className={`host-line is-${word}`}>
      <Swatch model={name} state={word} />
      <span className="cut" title={name}>
        {name}
      </span>
      <span className="host-line-facts number">{facts.join(" · ")}</span>
    </div>
  );
}

/** What can be pressed in a host does its own. */
function isOwnClick(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a, button") === null;
}
