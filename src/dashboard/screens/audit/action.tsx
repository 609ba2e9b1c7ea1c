import { AUDIT_ACTIONS, type AuditRecordView } from "../../../wire/audit.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { useFormat } from "../../text/format.ts";
import { type Translate, useTexts } from "../../text/i18n.ts";
import { auditTexts } from "./texts.ts";

const TONES: Record<string, Tone> = {
  ...({ change: "ok", login: "accent", logout: "quiet", system: "quiet" } as const),
  ...({ failed: "warn", interrupted: "warn", login_failed: "bad", refused: "bad" } as const),
};

/** What a record tells of, in a word, and how often. */
export function ActionBadge({ record: { action, count } }: { record: AuditRecordView }) {
  const t = useTexts(auditTexts);
  const format = useFormat();
  // A newer llmlb may record what this page knows no word for.
  const known = AUDIT_ACTIONS.find((one) => one === action);
  const name = known === undefined ? action : t(`action_${known}`);
  return (
    <Badge tone={TONES[action] ?? "quiet"}>
      {count > 1 ? `${name} × ${format.count(count)}` : name}
    </Badge>
  );
}

/** Who did it: a user, a key of his, or whoever has no name. */
export function actorOf(record: AuditRecordView, t: Translate<keyof typeof auditTexts.en>): string {
  const { actor_kind: kind, user_name: user, key_name: key } = record;
  if (key !== null) return user === null ? key : t("actor_key", { user, key });
  if (user !== null) return user;
  if (kind === "local") return t("actor_local");
  if (kind === "anonymous") return t("actor_anonymous");
  return kind === "system" ? t("actor_system") : kind;
}
