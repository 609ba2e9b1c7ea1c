import { Link } from "@tanstack/react-router";
import type { ModelPreview, NodeFit, PreviewChoice } from "../../../wire/preview.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { placesTexts } from "./placestexts.ts";
import { registerTexts } from "./registertexts.ts";

interface PreviewProps {
  preview: ModelPreview;
  /** What is chosen of it. */
  choice: PreviewChoice;
  onChoose(choice: PreviewChoice): void;
}

/** What the hub tells of a model, to choose what of it is registered. */
export function Preview({ preview, choice, onChoose }: PreviewProps) {
  const t = useTexts(registerTexts);
  const { count, bytes } = useFormat();
  const { repo, choices, files, context_length: context, warnings } = preview;
  const facts = [
    ...(context === null ? [] : [t("n_context", { n: count(context) })]),
    t("n_downloads", { n: count(preview.downloads) }),
    t("n_likes", { n: count(preview.likes) }),
  ];
  return (
    <section className="preview" aria-label={t("preview")}>
      <div className="row">
        <strong className="preview-name">{repo}</strong>
        {preview.capabilities.map((one) => (
          <Badge key={one} tone="quiet">
            {one}
          </Badge>
        ))}
        {preview.gated && <Badge tone="warn">{t("gated")}</Badge>}
        {preview.private && <Badge tone="warn">{t("private")}</Badge>}
      </div>
      <p className="hint">{facts.join(" · ")}</p>
      <fieldset className="choices">
        <legend>{t("choices")}</legend>
        {choices.map((one) => (
          <ChoiceRow
            key={one.filename ?? ""}
            {...{ choice: one, isChosen: one.id === choice.id, onChoose }}
          />
        ))}
      </fieldset>
      <Fits preview={preview} choice={choice} />
      {warnings.map((warning) => (
        <div key={warning} className="note is-warn">
          {warning}
        </div>
      ))}
      <details className="fold">
        <summary>{t("n_files", { count: files.length })}</summary>
        <ul className="preview-files">
          {files.map(({ filename, size_bytes: size }) => (
            <li key={filename}>
              <span className="mono">{filename}</span>
              <span className="number muted">{size === null ? "" : bytes(size)}</span>
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

function ChoiceRow(props: {
  choice: PreviewChoice;
  isChosen: boolean;
  onChoose(choice: PreviewChoice): void;
}) {
  const { choice, isChosen, onChoose } = props;
  const t = useTexts(registerTexts);
  const { bytes } = useFormat();
  const { filename, quantization, size_bytes: size, fits, registered } = choice;
  const fitting = fits.filter((fit) => fit === "device" || fit === "host" || fit === "shortened");
  const isKnown = fits.some((fit) => fit !== "unknown");
  return (
    <label className={isChosen ? "choice is-chosen" : "choice"}>
      <input type="radio" name="choice" checked={isChosen} onChange={() => onChoose(choice)} />
      <span className="choice-name">
        <strong>{filename === null ? t("whole") : (quantization ?? t("file"))}</strong>
        <span className="hint">{filename ?? t("whole_text")}</span>
      </span>
      <span className="choice-size">
        <span className="number">{bytes(size)}</span>
        {registered ? (
          <Badge tone="accent">{t("is_registered")}</Badge>
        ) : (
          isKnown && (
            <Badge tone={fitting.length > 0 ? "ok" : "bad"}>
              {t("fits_n", { n: fitting.length, all: fits.length })}
            </Badge>
          )
        )}
      </span>
    </label>
  );
}

const TONES: Record<NodeFit, Tone> = {
  ...{ device: "ok", host: "ok", shortened: "warn", too_large: "bad", unknown: "quiet" },
};
const NODES_MAX = 50;

/** Whether what is chosen fits each node, with the numbers. */
function Fits({ preview: { nodes }, choice }: Pick<PreviewProps, "preview" | "choice">) {
  const t = useTexts(registerTexts);
  const placesText = useTexts(placesTexts);
  const { bytes } = useFormat();
  if (choice.registered) {
    return (
      <div className="note">
        {t("registered_already")}{" "}
        <Link to="/models/$name" params={{ name: choice.id } as never}>
          {choice.id}
        </Link>
      </div>
    );
  }
  if (nodes.length === 0) return <div className="note is-warn">{placesText("no_nodes")}</div>;
  const needed = choice.required_memory_bytes;
  return (
    <div>
      <p className="hint">{t("needs", { size: bytes(needed) })}</p>
      <ul className="fits">
        {nodes.slice(0, NODES_MAX).map(({ name, memory_bytes: all, free_bytes: free }, at) => {
          const fit = choice.fits[at] ?? "unknown";
          const isLater = free !== null && free < needed && (fit === "device" || fit === "host");
          return (
            <li key={name}>
              <span className="cut">{name}</span>
              <span className="muted number">
                {all === null
                  ? ""
                  : t("memory_of", { free: bytes(Math.max(0, free ?? all)), all: bytes(all) })}
              </span>
              <Badge tone={TONES[fit]}>{isLater ? t("fit_later") : t(`fit_${fit}`)}</Badge>
            </li>
          );
        })}
        {nodes.length > NODES_MAX && <li className="muted">+{nodes.length - NODES_MAX}</li>}
      </ul>
    </div>
  );
}
