import type { EndpointStatus } from "../../../wire/endpoint.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { useTexts } from "../../text/i18n.ts";
import { endpointsTexts } from "./texts.ts";

const TONES: Record<EndpointStatus, Tone> = {
  online: "ok",
  error: "warn",
  offline: "bad",
  pending: "quiet",
};

const CELLS_MAX = 8;

/** The status of an endpoint, in a word. */
export function StatusBadge({ status }: { status: EndpointStatus }) {
  const t = useTexts(endpointsTexts);
  return <Badge tone={TONES[status]}>{t(`status_${status}`)}</Badge>;
}

/** Its slots as cells, of which those with a request are lit. */
export function Slots({ active, slots }: { active: number; slots: number }) {
  const cells = Math.min(slots, CELLS_MAX);
  const lit = slots === 0 ? 0 : Math.ceil((Math.min(active, slots) * cells) / slots);
  return (
    <span className="row">
      <span className="slots" aria-hidden="true">
        {Array.from({ length: cells }, (_, i) => i).map((i) => (
          <span key={i} className={i < lit ? "slot is-busy" : "slot"} />
        ))}
      </span>
      <span className="number">
        {active} / {slots}
      </span>
    </span>
  );
}
