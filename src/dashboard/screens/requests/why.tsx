import type { RequestDetail } from "../../../wire/history.ts";
import { NOTHING } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { requestsTexts } from "./texts.ts";
import { whyTexts } from "./whytexts.ts";

const REASONS = Object.keys(whyTexts.en) as (keyof typeof whyTexts.en)[];

/** Why a request failed, in sentences: what its code means, and what the server said. */
export function WhyFailed({ request }: { request: RequestDetail }) {
  const t = useTexts(requestsTexts);
  const why = useTexts(whyTexts);
  const { status, error, http_status, attempts, response_body } = request;
  if (status === "success" || error === null) return null;
  if (error === "client_closed") return <div className="note">{t("why_left")}</div>;
  const reason = REASONS.find((one) => one === error);
  const message = messageIn(response_body);
  const tried = attempts
    .filter((one) => one.error !== null && (attempts.length > 1 || one.error !== error))
    .map((one) => `${one.endpoint_name}: ${one.error}`);
  return (
    <div className="note is-bad">
      <strong>{t("why", { error, status: http_status ?? NOTHING })}</strong>{" "}
      {reason !== undefined && why(reason, { name: request.endpoint_name ?? NOTHING })}
      {message !== undefined && <div>{why("said", { message })}</div>}
      {tried.length > 0 && <div>{t("why_tried", { tried: tried.join("; ") })}</div>}
    </div>
  );
}

/** What an error's answer says, if it was kept, in the words of OpenAI, Anthropic or Ollama. */
function messageIn(text: string | null): string | undefined {
  try {
    const { error, message } = JSON.parse(text ?? "null") ?? {};
    const said = error?.message ?? error ?? message;
    return typeof said === "string" && said !== "" ? said : undefined;
  } catch {
    return undefined; // a page, a stream, or cut off
  }
}
