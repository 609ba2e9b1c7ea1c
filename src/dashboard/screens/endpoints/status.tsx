import type { EndpointKind, EndpointStatus, EndpointView } from "../../../wire/endpoint.ts";
import type { LoadedState } from "../../../wire/loadedstate.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { NOTHING } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { endpointsTexts } from "./texts.ts";

const TONES: Record<ShownStatus, Tone> = {
  online: "ok",
  error: "warn",
  offline: "bad",
  pending: "quiet",
  drained: "accent",
};

/** Whether a model is in an endpoint's memory. */
export const MEMORY_TONES: Record<NonNullable<LoadedState>, Tone> = {
  ...{ loaded: "ok", loading: "warn", cold: "quiet", failed: "bad" },
};

/** What the kinds of server call themselves. */
const KIND_NAMES: Record<EndpointKind, string> = {
  llmlb: "llmlb",
  llama_server: "llama.cpp",
  ollama: "Ollama",
  vllm: "vLLM",
  sglang: "SGLang",
  lm_studio: "LM Studio",
  openai_compatible: "OpenAI API",
};

const CELLS_MAX = 8;

/** What a kind of server is called. */
export function kindName(kind: EndpointKind | null): string {
  return kind === null ? NOTHING : KIND_NAMES[kind];
}

/** How an endpoint is shown: as drained, as long as it is up. */
export type ShownStatus = EndpointStatus | "drained";

/** What is shown of an endpoint's status. */
export function shownStatusOf({ status, draining }: Pick<EndpointView, "status" | "draining">) {
  return draining && status !== "offline" ? "drained" : status;
}

/** The status of an endpoint, in a word. */
export function StatusBadge({ endpoint }: { endpoint: Pick<EndpointView, "status" | "draining"> }) {
  const t = useTexts(endpointsTexts);
  const status: ShownStatus = shownStatusOf(endpoint);
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
