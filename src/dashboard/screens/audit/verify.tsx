import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { AuditVerdict } from "../../../wire/audit.ts";
import { useSubmission } from "../../api/submission.ts";
import { CopyText } from "../../parts/copy.tsx";
import { Window } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { FormEnd, Refusal } from "../../parts/form.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { verifyAudit } from "./calls.ts";
import { auditTexts } from "./texts.ts";

interface VerifyProps {
  isOpen: boolean;
  onClose(): void;
}

/** Checks whether the log is as it was written, and tells the verdict. */
export function VerifyWindow({ isOpen, onClose }: VerifyProps) {
  const t = useTexts(auditTexts);
  return (
    <Window title={t("verify")} isOpen={isOpen} onClose={onClose}>
      <Form onClose={onClose} />
    </Window>
  );
}

function Form({ onClose }: Pick<VerifyProps, "onClose">) {
  const t = useTexts(auditTexts);
  const [since, setSince] = useState("");
  const verify = useSubmission({ mutationFn: () => verifyAudit(since) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    verify.mutate();
  };
  return (
    <form className="form" onSubmit={submit}>
      <p className="hint">{t("verify_text")}</p>
      <TextField
        {...{ label: t("since"), hint: t("since_hint"), value: since, onChange: setSince }}
        {...{ pattern: " *[0-9]{1,15}:[A-Za-z0-9_\\-]{43} *", placeholder: "812:Yx3…" }}
        autoComplete="off"
      />
      {verify.isError && <Refusal title={t("verify_failed")} text={verify.error.message} />}
      {verify.data !== undefined && <Verdict verdict={verify.data} />}
      <FormEnd
        {...{ leave: t("close"), onLeave: onClose, action: t("verify_now") }}
        isBusy={verify.isPending}
      />
    </form>
  );
}

function Verdict({ verdict }: { verdict: AuditVerdict }) {
  const t = useTexts(auditTexts);
  const { count } = useFormat();
  const { valid, records_checked, first_bad, reason = "", head, pruned_up_to } = verdict;
  const checked = t("checked", { count: records_checked, number: count(records_checked) });
  if (!valid) {
    return (
      <div className="note is-bad" role="alert">
        <strong>{t("broken")}</strong> {reason} {checked}{" "}
        {first_bad !== undefined && (
          <Link to="/audit/$seq" params={{ seq: String(first_bad) } as never}>
            {t("record", { seq: first_bad })}
          </Link>
        )}
      </div>
    );
  }
  return (
    <>
      <div className="note is-ok" role="status">
        <strong>{t("whole")}</strong> {checked}
        {pruned_up_to > 0 && ` ${t("pruned", { seq: count(pruned_up_to) })}`}
      </div>
      <p className="hint">{t("head_text")}</p>
      <CopyText text={`${head.seq}:${head.mac}`} />
    </>
  );
}
