import type { ReactNode } from "react";
import { CallError } from "../api/call.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { partsTexts } from "./texts.ts";

/** Stands where something is on its way. */
export function Loading() {
  const t = useTexts(partsTexts);
  return (
    <div className="state" role="status">
      <span className="spinner" />
      {t("loading")}
    </div>
  );
}

/** Stands where there is nothing, says why, and offers what to do. */
export function Empty(props: { title: string; text?: string; children?: ReactNode }) {
  const { title, text, children } = props;
  return (
    <div className="state">
      <strong>{title}</strong>
      {text !== undefined && <p>{text}</p>}
      {children !== undefined && <div className="row">{children}</div>}
    </div>
  );
}

/** What of a query decides which state is shown. */
export interface QueryState<T> {
  data: T | undefined;
  error: Error | null;
  refetch(): unknown;
}

/** Shows what was asked for once it is there, and until then, or where it failed, that. */
export function Loaded<T>(props: { query: QueryState<T>; children(data: T): ReactNode }) {
  const { query, children } = props;
  const { data, error } = query;
  if (data !== undefined) {
    return (
      <>
        {error !== null && <Stale error={error} />}
        {children(data)}
      </>
    );
  }
  return error === null ? <Loading /> : <Failed error={error} onRetry={() => query.refetch()} />;
}

function Failed({ error, onRetry }: { error: Error; onRetry(): void }) {
  const t = useTexts(partsTexts);
  const isOffline = error instanceof CallError && error.status === 0;
  return (
    <div role="alert">
      <Empty title={isOffline ? t("offline") : t("failed")} text={error.message}>
        <Button icon="refresh" onClick={onRetry}>
          {t("again")}
        </Button>
      </Empty>
    </div>
  );
}

/** What is shown was loaded before; loading it again failed. */
function Stale({ error }: { error: Error }) {
  const t = useTexts(partsTexts);
  return (
    <div className="note is-warn" role="status">
      {t("stale", { reason: error.message })}
    </div>
  );
}
