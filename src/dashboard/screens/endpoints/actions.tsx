import {
  EndpointDetail,
  EndpointSync,
  EndpointTest,
  type EndpointView,
} from "../../../wire/endpoint.ts";
import { call } from "../../api/call.ts";
import { queries } from "../../api/queries.ts";
import { useSubmission } from "../../api/submission.ts";
import { Button } from "../../parts/button.tsx";
import { sayDone, sayFailed } from "../../parts/toast.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { endpointsTexts } from "./texts.ts";

type Named = Pick<EndpointView, "id" | "name">;

/** Forgets what was shown of endpoints, so that it is asked again. */
export function reloadEndpoints(): Promise<void> {
  return queries.invalidateQueries({ queryKey: ["endpoints"] });
}

/** The address of one endpoint in the API. */
export function pathOf(id: string): string {
  return `/api/endpoints/${encodeURIComponent(id)}`;
}

/** Checks an endpoint now and says what came of it. */
export function TestButton({ endpoint, label }: { endpoint: Named; label?: string }) {
  const t = useTexts(endpointsTexts);
  const { duration } = useFormat();
  const { id, name } = endpoint;
  const test = useSubmission({
    mutationFn: () => call(EndpointTest, `POST ${pathOf(id)}/test`),
    onSuccess: ({ success, error, latency_ms, models_found }) => {
      if (!success) return sayFailed(t("test_bad", { name }), error);
      const models = models_found?.length ?? 0;
      return sayDone(
        t("test_ok", { name }),
        t("test_ok_text", { models, time: duration(latency_ms) }),
      );
    },
    onError: (error) => sayFailed(t("test_bad", { name }), error),
    onSettled: reloadEndpoints,
  });
  return (
    <Button isBusy={test.isPending} onClick={() => test.mutate()}>
      {label ?? t("test")}
    </Button>
  );
}

/** Gives a drained endpoint requests again; of another one it calls `onDrain`, which asks first. */
export function DrainButton(props: {
  endpoint: Named & Pick<EndpointView, "draining">;
  onDrain?: () => void;
}) {
  const { endpoint, onDrain } = props;
  const { id, name, draining } = endpoint;
  const t = useTexts(endpointsTexts);
  const undrain = useSubmission({
    mutationFn: () => setDraining(id, false),
    onSuccess: () => sayDone(t("undrained", { name })),
    onError: (error) => sayFailed(t("undrain_failed", { name }), error),
    onSettled: reloadEndpoints,
  });
  if (!draining) return onDrain && <Button onClick={onDrain}>{t("drain")}</Button>;
  return (
    <Button isBusy={undrain.isPending} onClick={() => undrain.mutate()}>
      {t("undrain")}
    </Button>
  );
}

/** Gives an endpoint no further requests, or again some. */
export function setDraining(id: string, draining: boolean): Promise<EndpointDetail> {
  return call(EndpointDetail, `POST ${pathOf(id)}/${draining ? "drain" : "undrain"}`);
}

/** Reads an endpoint's models now and says what has changed. */
export function SyncButton({ endpoint: { id, name } }: { endpoint: Named }) {
  const t = useTexts(endpointsTexts);
  const sync = useSubmission({
    mutationFn: () => call(EndpointSync, `POST ${pathOf(id)}/sync`),
    onSuccess: ({ added, removed, updated }) =>
      sayDone(t("synced", { name }), t("synced_text", { added, removed, updated })),
    onError: (error) => sayFailed(t("sync_failed", { name }), error),
    onSettled: reloadEndpoints,
  });
  return (
    <Button icon="refresh" isBusy={sync.isPending} onClick={() => sync.mutate()}>
      {t("sync")}
    </Button>
  );
}
