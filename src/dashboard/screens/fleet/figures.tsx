import { useSeries } from "../../live/hooks.ts";
import { Tile } from "../../parts/tile.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { type Condition, type HostPicture, memoryOf } from "./picture.ts";
import { fleetTexts } from "./texts.ts";

interface FiguresProps {
  pictures: readonly HostPicture[];
  queues: Readonly<Record<string, number>>;
}

const DOWN: ReadonlySet<string> = new Set(["offline", "pending"]);

/** The whole fleet in numbers. */
export function Figures({ pictures, queues }: FiguresProps) {
  const t = useTexts(fleetTexts);
  const { count, bytes, rate, percent } = useFormat();
  const now = useSeries().at(-1);
  const up = pictures.filter(({ condition }) => !DOWN.has(condition));
  const active = pictures.reduce((sum, { load }) => sum + load.active, 0);
  const slots = up.reduce((sum, { endpoint }) => sum + endpoint.slots_in_effect, 0);
  const waiting = Object.values(queues).reduce((sum, one) => sum + one, 0);
  const [longest] = Object.entries(queues).toSorted(([, a], [, b]) => b - a);
  const { usedBytes, allBytes } = memoryOf(up);
  const total = (text: string) => t("of_total", { total: text });
  const share = (part: number, whole: number) =>
    whole === 0 ? "" : t("in_use", { share: percent(part / whole) });
  return (
    <div className="tiles fleet-figures">
      <Tile
        {...{ name: t("hosts_up"), value: count(up.length), unit: total(count(pictures.length)) }}
        {...{ about: useTroubles(pictures), isBad: up.length === 0 }}
      />
      <Tile
        {...{ name: t("slots"), value: count(active), unit: total(count(slots)) }}
        about={share(active, slots)}
      />
      <Tile
        {...{ name: t("waiting"), value: count(waiting) }}
        about={longest === undefined ? "" : t("waiting_most", { model: longest[0] })}
      />
      <Tile
        {...{ name: t("requests"), value: rate(now?.requests_per_s ?? 0), unit: "/s" }}
        about={t("tokens", { rate: rate(now?.tokens_per_s ?? 0) })}
      />
      <Tile
        {...{ name: t("memory"), value: bytes(usedBytes), unit: total(bytes(allBytes)) }}
        about={share(usedBytes, allBytes)}
      />
    </div>
  );
}

/** How many hosts are in which state that is not well. */
function useTroubles(pictures: readonly HostPicture[]): string {
  const t = useTexts(fleetTexts);
  const { count } = useFormat();
  const counts = new Map<Condition, number>();
  for (const { condition } of pictures) {
    if (condition !== "online") counts.set(condition, (counts.get(condition) ?? 0) + 1);
  }
  if (counts.size === 0) return t("all_well");
  return [...counts].map(([one, sum]) => `${t(`condition_${one}`)} ${count(sum)}`).join(" · ");
}
