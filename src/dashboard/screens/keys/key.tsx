import type { KeyView } from "../../../wire/account.ts";
import { Button } from "../../parts/button.tsx";
import { Window } from "../../parts/dialog.tsx";
import { useLimitsText } from "../../parts/limits/limits.tsx";
import { Facts } from "../../parts/page.tsx";
import { Ago } from "../../parts/time.tsx";
import { NOTHING, useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { actionsOf, type KeyAction } from "./actions.tsx";
import { keysTexts } from "./texts.ts";

interface KeyWindowProps {
  /** Of the key that is shown; it may be gone. */
  id: string;
  keys: readonly KeyView[];
  canChange: boolean;
  onClose(): void;
  onAsk(asked: KeyAction): void;
}

/** All that is known of a key, and what can be done with it. */
export function KeyWindow({ id, keys, canChange, onClose, onAsk }: KeyWindowProps) {
  const t = useTexts(keysTexts);
  const key = keys.find((one) => one.id === id);
  if (key === undefined) return null;
  const ask = (asked: KeyAction) => {
    onClose();
    onAsk(asked);
  };
  return (
    <Window title={key.name} isOpen onClose={onClose}>
      <KeyFacts shown={key} />
      {canChange && (
        <div className="row is-end">
          {actionsOf(key).map((action) => (
            <Button
              key={action}
              kind={action === "rotate" ? "plain" : "danger"}
              onClick={() => ask({ action, key })}
            >
              {t(action)}
            </Button>
          ))}
        </div>
      )}
    </Window>
  );
}

function KeyFacts({ shown }: { shown: KeyView }) {
  const t = useTexts(keysTexts);
  const { time } = useFormat();
  const limitsText = useLimitsText();
  const { key_prefix, user, status, models, limits, permissions, notes } = shown;
  return (
    <Facts
      facts={[
        [t("prefix"), `${key_prefix}…`],
        [t("owner"), user.name],
        [t("status"), t(`status_${status}`)],
        [t("models"), models?.join(", ") ?? t("models_all")],
        [t("limits"), limitsText(limits)],
        [t("permissions"), permissions.join(", ")],
        [t("used"), <Ago key="used" at={shown.last_used_at} none={t("never")} />],
        [t("expires"), <Ago key="expires" at={shown.expires_at} none={t("never")} />],
        [t("made_at"), time(shown.created_at)],
        [t("notes"), notes ?? NOTHING],
      ]}
    />
  );
}
