import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { kindName } from "../endpoints/status.tsx";
import { Swatch } from "./ink.tsx";
import { ConditionBadge } from "./mark.tsx";
import { type Bar, type HostPicture, stateWord } from "./picture.ts";
import { placeBeside } from "./place.ts";
import { fleetTexts } from "./texts.ts";

interface HostTipProps {
  /** The map. */
  place: { current: HTMLElement | null };
  pictures: readonly HostPicture[];
  queues: Readonly<Record<string, number>>;
}

/** What the mouse or the focus is on. */
interface Target {
  element: Element;
  hostId: string;
}

/**
 * Tells more of the host that the mouse or the focus is on. Escape puts it away. Screen readers
 * have the same in the host's description.
 */
export function HostTip({ place, pictures, queues }: HostTipProps) {
  const target = useTarget(place);
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ left: 0, top: 0 });
  const picture = pictures.find(({ endpoint }) => endpoint.id === target?.hostId);
  useLayoutEffect(() => {
    if (box.current === null || target === undefined) return;
    const view = { width: window.innerWidth, height: window.innerHeight };
    const { width, height } = box.current.getBoundingClientRect();
    const next = placeBeside(target.element.getBoundingClientRect(), { width, height }, view);
    setAt((last) => (last.left === next.left && last.top === next.top ? last : next));
  });
  if (picture === undefined) return null;
  return createPortal(
    <div className="host-tip" ref={box} style={at} aria-hidden="true">
      <TipContent picture={picture} queues={queues} />
    </div>,
    document.body,
  );
}

/** So long the mouse rests on a host before more is told. */
const REST_MS = 120;

function useTarget(place: { current: HTMLElement | null }): Target | undefined {
  const [target, setTarget] = useState<Target>();
  useEffect(() => {
    const map = place.current;
    if (map === null) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (at: EventTarget | null, afterMs: number) => {
      clearTimeout(timer);
      const element = at instanceof Element ? at.closest("[data-host]") : null;
      const hostId = element?.getAttribute("data-host") ?? undefined;
      const next = element === null || hostId === undefined ? undefined : { element, hostId };
      timer = setTimeout(() => setTarget(next), afterMs);
    };
    const handlers: Partial<Record<keyof HTMLElementEventMap, (event: Event) => void>> = {
      pointerover: (event) => {
        if (event instanceof PointerEvent && event.pointerType === "mouse") {
          show(event.target, REST_MS);
        }
      },
      pointerleave: () => show(null, 0),
      focusin: ({ target: at }) => {
        if (at instanceof Element && at.matches(":focus-visible")) show(at, 0);
      },
      focusout: () => show(null, 0),
    };
    const names = Object.entries(handlers);
    for (const [name, handler] of names) map.addEventListener(name, handler);
    const away = (event: KeyboardEvent) => event.key === "Escape" && show(null, 0);
    document.addEventListener("keydown", away);
    return () => {
      clearTimeout(timer);
      for (const [name, handler] of names) map.removeEventListener(name, handler);
      document.removeEventListener("keydown", away);
    };
  }, [place]);
  return target;
}

function TipContent({ picture, queues }: { picture: HostPicture } & Pick<HostTipProps, "queues">) {
  const t = useTexts(fleetTexts);
  const { count, ago } = useFormat();
  const { endpoint, condition, load, bars, loose } = picture;
  const { name, kind, last_seen, last_error, slots_in_effect: slots, host } = endpoint;
  const isUp = condition === "online";
  const queued = host.models.filter(({ model }) => (queues[model] ?? 0) > 0);
  return (
    <>
      <div className="tip-head">
        <strong className="cut">{name}</strong>
        <ConditionBadge condition={condition} />
      </div>
      <div className="muted">
        {[
          ...(kind === null ? [] : [kindName(kind)]),
          ...(isUp || last_seen === null ? [] : [t("since", { ago: ago(last_seen) })]),
        ].join(" · ")}
      </div>
      {last_error !== null && <div className="tip-error">{last_error}</div>}
      <TipLine name={t("slots_here")} value={`${count(load.active)} / ${count(slots)}`} />
      {bars.map((bar) => (
        <TipBar key={bar.name} bar={bar} load={load.models} />
      ))}
      {(loose.length > 0 || host.more > 0) && (
        <div className="tip-part">
          {loose.map((one) => {
            const word = stateWord(picture, one);
            const value = t(`state_${word}`);
            return <TipLine key={one.model} {...{ model: one.model, state: word, value }} />;
          })}
          {host.more > 0 && <div className="muted">{t("more", { number: count(host.more) })}</div>}
        </div>
      )}
      {queued.map(({ model }) => (
        <TipLine key={model} name={`${t("waiting")}: ${model}`} value={count(queues[model] ?? 0)} />
      ))}
    </>
  );
}

/** A memory's parts, one a line. */
function TipBar({ bar, load }: { bar: Bar; load: Readonly<Record<string, number>> }) {
  const t = useTexts(fleetTexts);
  const { bytes } = useFormat();
  const { name, description, totalBytes, segments } = bar;
  return (
    <div className="tip-part">
      <TipLine
        name={name === "host" ? t("host_memory") : description}
        value={bytes(totalBytes)}
        isHead
      />
      {segments.map(({ kind, bytes: size, model }) => {
        if (model === undefined) {
          const words = t(kind === "free" ? "device_free" : "device_rest");
          return <TipLine key={kind} name={words} value={bytes(size)} kind={kind} />;
        }
        const active = load[model.model] ?? 0;
        const state = model.state ?? "served";
        const facts = [
          ...(active > 0 ? [t("active", { count: active })] : []),
          ...(state === "loaded" ? [] : [t(`state_${state}`)]),
          bytes(size),
        ];
        return (
          <TipLine key={model.model} {...{ model: model.model, state, value: facts.join(" · ") }} />
        );
      })}
    </div>
  );
}

/** `name` is left out of a model's line. */
function TipLine(props: {
  name?: string;
  value: string;
  model?: string;
  state?: string;
  kind?: "other" | "free" | "model";
  isHead?: boolean;
}) {
  const { model, name = model, value, state = "", kind, isHead } = props;
  return (
    <div className={isHead ? "tip-line is-head" : "tip-line"}>
      {model !== undefined && <Swatch model={model} state={state} />}
      {kind !== undefined && <span className={`swatch is-${kind}`} />}
      <span className="cut">{name}</span>
      <span className="number">{value}</span>
    </div>
  );
}
