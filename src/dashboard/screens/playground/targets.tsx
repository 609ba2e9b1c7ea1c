import type { ListedModel } from "../../api/models.ts";
import { Button } from "../../parts/button.tsx";
import { Choice } from "../../parts/field.tsx";
import { useTexts } from "../../text/i18n.ts";
import type { Target } from "./conversation.ts";
import { ModelPicker } from "./modelpicker.tsx";
import { playgroundTexts } from "./texts.ts";

interface TargetsProps {
  targets: readonly Target[];
  models: readonly ListedModel[];
  /** The reader may see endpoints, and so name one. */
  mayPin: boolean;
  onChange(targets: Target[]): void;
}

/** Which model is asked, and where; or which two. */
export function Targets({ targets, models, mayPin, onChange }: TargetsProps) {
  const t = useTexts(playgroundTexts);
  const set = (at: number, changes: Partial<Target>) =>
    onChange(targets.map((one, i) => (i === at ? { ...one, ...changes } : one)));
  const isTwo = targets.length > 1;
  const other = models.find(({ id, ready }) => ready && id !== targets[0]?.model);
  return (
    <>
      {targets.map((target, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: first and second
        <div key={i} className="bench-target">
          <ModelPicker
            {...{ models, value: target.model }}
            label={isTwo ? t(i === 0 ? "model_first" : "model_second") : t("model")}
            onChange={(model) => set(i, { model, endpoint: "" })}
          />
          {mayPin && (
            <Where
              target={target}
              endpoints={models.find(({ id }) => id === target.model)?.endpoint_ids ?? []}
              onChange={(endpoint) => set(i, { endpoint })}
            />
          )}
        </div>
      ))}
      <Button
        icon={isTwo ? "close" : "plus"}
        onClick={() =>
          onChange(
            isTwo
              ? targets.slice(0, 1)
              : [...targets, { model: other?.id ?? targets[0]?.model ?? "", endpoint: "" }],
          )
        }
      >
        {isTwo ? t("compare_end") : t("compare")}
      </Button>
    </>
  );
}

/** The balancer chooses among those that serve the model, or one of them is named. */
function Where(props: {
  target: Target;
  endpoints: readonly string[];
  onChange(endpoint: string): void;
}) {
  const { target, endpoints, onChange } = props;
  const t = useTexts(playgroundTexts);
  const { endpoint } = target;
  const names =
    endpoint === "" || endpoints.includes(endpoint) ? endpoints : [...endpoints, endpoint];
  if (names.length === 0) return null;
  return (
    <Choice
      {...{ label: t("where"), value: endpoint, onChange }}
      options={[
        { value: "", text: t("where_any") },
        ...names.map((name) => ({ value: name, text: name })),
      ]}
    />
  );
}
