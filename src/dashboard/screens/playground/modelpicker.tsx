import { Combobox } from "@base-ui/react/combobox";
import { useMemo } from "react";
import type { ListedModel } from "../../api/models.ts";
import { Badge } from "../../parts/badge.tsx";
import { Icon } from "../../parts/icon.tsx";
import { useTexts } from "../../text/i18n.ts";
import { playgroundTexts } from "./texts.ts";

/** More than one looks through; the search finds the others. */
const SHOWN_MAX = 100;

interface ModelPickerProps {
  label: string;
  models: readonly ListedModel[];
  /** May be one that is not there any more. */
  value: string;
  onChange(model: string): void;
}

/** A model is searched by its name, and shown with its state: ready, and in memory or not. */
export function ModelPicker({ label, models, value, onChange }: ModelPickerProps) {
  const t = useTexts(playgroundTexts);
  const byId = useMemo(() => new Map(models.map((model) => [model.id, model])), [models]);
  const ids = useMemo(() => models.map(({ id }) => id), [models]);
  const chosen = byId.get(value);
  return (
    <div className="field">
      <Combobox.Root
        items={ids}
        value={value}
        onValueChange={(id) => id !== null && onChange(id)}
        limit={SHOWN_MAX}
        autoHighlight
      >
        <Combobox.Label className="field-label">{label}</Combobox.Label>
        <Combobox.Trigger className="input picker">
          <span className="cut" title={value}>
            {value === "" ? t("model_choose") : value}
          </span>
          <ModelState model={chosen} isChosen={value !== ""} />
          <Icon name="down" />
        </Combobox.Trigger>
        <Combobox.Portal>
          <Combobox.Positioner className="picker-place" align="start" sideOffset={4}>
            <Combobox.Popup className="picker-popup" aria-label={label}>
              <Combobox.Input className="input" placeholder={t("model_search")} />
              <Combobox.Empty className="picker-empty">{t("model_none")}</Combobox.Empty>
              <Combobox.List className="picker-list">
                {(id: string) => (
                  <Combobox.Item key={id} value={id} className="picker-item">
                    <span className="picker-name">{id}</span>
                    <ModelState model={byId.get(id)} isChosen />
                  </Combobox.Item>
                )}
              </Combobox.List>
              {ids.length > SHOWN_MAX && (
                <p className="hint picker-empty">{t("model_more", { count: SHOWN_MAX })}</p>
              )}
            </Combobox.Popup>
          </Combobox.Positioner>
        </Combobox.Portal>
      </Combobox.Root>
    </div>
  );
}

/** Gone, not ready, in memory, or to be loaded first; nothing where nobody tells. */
function ModelState(props: { model: ListedModel | undefined; isChosen: boolean }) {
  const { model, isChosen } = props;
  const t = useTexts(playgroundTexts);
  if (model === undefined) return isChosen ? <Badge tone="bad">{t("model_gone")}</Badge> : null;
  if (!model.ready) return <Badge tone="warn">{t("model_not_ready")}</Badge>;
  if (model.loaded === true) return <Badge tone="ok">{t("model_warm")}</Badge>;
  if (model.loaded === false) return <Badge tone="quiet">{t("model_cold")}</Badge>;
  return <Badge tone="ok">{t("model_ready")}</Badge>;
}
