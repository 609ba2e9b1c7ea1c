import { type CSSProperties, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTexts } from "../../text/i18n.ts";
import { Host } from "./host.tsx";
import { type Layout, layOut, METRICS, rowsBetween, type Size, sizeFor } from "./layout.ts";
import { type HostPicture, shapeOf } from "./picture.ts";
import { fleetTexts } from "./texts.ts";
import { HostTip } from "./tip.tsx";

interface FleetMapProps {
  pictures: readonly HostPicture[];
  /** Undefined: by how many there are. */
  size: Size | undefined;
  queues: Readonly<Record<string, number>>;
}

/** The hosts in rows. Only those in sight are drawn, so that thousands scroll smoothly. */
export function FleetMap({ pictures, size: chosen, queues }: FleetMapProps) {
  const t = useTexts(fleetTexts);
  const place = useRef<HTMLUListElement>(null);
  const width = useWidth(place);
  const size = chosen ?? sizeFor(pictures.length, width);
  const shapes = pictures.map((picture) => shapeOf(picture, size));
  const shapesText = JSON.stringify(shapes);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what they say, not which they are
  const layout = useMemo(() => layOut(shapes, width, size), [shapesText, width, size]);
  const rows = useRowsInSight(layout, place);
  return (
    <>
      <ul
        {...{ ref: place, className: `fleet-map is-${size}`, "aria-label": t("hosts") }}
        style={{ ...lengthsOf(size), height: layout.height }}
      >
        {width > 0 &&
          rows.flatMap(({ from, to, top, height }) =>
            pictures
              .slice(from, to)
              .map((picture, i) => (
                <Host
                  key={picture.endpoint.id}
                  {...{ picture, size, place: from + i + 1, count: pictures.length }}
                  {...{ top, height, width: layout.width }}
                  left={i * (layout.width + METRICS[size].gap)}
                />
              )),
          )}
      </ul>
      <HostTip {...{ place, pictures, queues }} />
    </>
  );
}

/** The distances of the layout, for the style. */
function lengthsOf(size: Size): CSSProperties {
  const { padding, head, bar, denseBar, cell, cellGap, line, part } = METRICS[size];
  const lengths = { padding, head, bar, "dense-bar": denseBar, cell, "cell-gap": cellGap };
  const all = Object.entries({ ...lengths, line, part });
  return Object.fromEntries(all.map(([name, px]) => [`--host-${name}`, `${px}px`]));
}

/** Beyond the window, so many pixels of rows are drawn as well. */
const AROUND_PX = 600;
/** Scrolling by less than this draws nothing anew. */
const STEP_PX = 200;

/** The rows of hosts in the window, and those around it. */
function useRowsInSight({ rows }: Layout, place: { current: HTMLElement | null }) {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    let frame = 0;
    const look = () => {
      const above = -(place.current?.getBoundingClientRect().top ?? 0);
      setTop(Math.floor(above / STEP_PX) * STEP_PX);
    };
    const lookSoon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(look);
    };
    look();
    window.addEventListener("scroll", lookSoon, { passive: true });
    window.addEventListener("resize", lookSoon);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", lookSoon);
      window.removeEventListener("resize", lookSoon);
    };
  }, [place]);
  return rowsBetween(rows, top - AROUND_PX, top + window.innerHeight + STEP_PX + AROUND_PX);
}

/** The width of an element; 0 before it is known. */
function useWidth(place: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}
