import { Link } from "@tanstack/react-router";
import { Button } from "../../parts/button.tsx";
import { CopyLink } from "../../parts/copy.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { indentedJson } from "../../text/json.ts";
import { CallView } from "./call.tsx";
import { Code } from "./code.tsx";
import type { Lane, Step, Timings } from "./conversation.ts";
import { AnswerText } from "./markdown.tsx";
import type { LanePart } from "./rows.ts";
import { playgroundTexts } from "./texts.ts";
import type { TurnActions } from "./turnactions.ts";

interface LanePartProps {
  part: LanePart;
  lane: Lane;
  /** Which of the turn's lanes it is. */
  index: number;
  at: number;
  /** Nothing was said after it. */
  isLast: boolean;
  isRunning: boolean;
  /** Something is answered now, here or elsewhere. */
  isBusy: boolean;
  actions: TurnActions;
}

/** A part of what one model made of a message. */
export function LanePartView({ part, ...props }: LanePartProps) {
  switch (part.kind) {
    case "head":
      return <Head {...props} />;
    case "thinking":
      return <Thinking step={part.step} isRunning={props.isRunning} />;
    case "text":
      return <AnswerText chunk={part.chunk} />;
    case "json":
      return <Json text={part.step.content} isRunning={props.isRunning} />;
    case "calls":
      return <Calls step={part.step} {...props} />;
    case "end":
      return <StepEnd step={part.step} />;
    case "tail":
      return <Tail {...props} />;
  }
}

type PartProps = Omit<LanePartProps, "part">;

/** The model's name, and what can be done with its answer. */
function Head({ lane, index, at, isRunning, isBusy, actions }: PartProps) {
  const t = useTexts(playgroundTexts);
  const { model, steps } = lane;
  const text = steps.map(({ content }) => content).join("\n\n");
  return (
    <header className="turn-head">
      <strong className="cut" title={model}>
        {model}
      </strong>
      {!isRunning && (
        <span className="turn-actions">
          {text.trim() !== "" && <CopyLink text={text} />}
          {!isBusy && (
            <button type="button" className="link" onClick={() => actions.regenerate(at, index)}>
              {t("regenerate")}
            </button>
          )}
        </span>
      )}
    </header>
  );
}

/** What a model thought, folded up. */
function Thinking({ step, isRunning }: { step: Step; isRunning: boolean }) {
  const t = useTexts(playgroundTexts);
  const isNow = isRunning && step.content === "" && step.timings === undefined;
  return (
    <details className="thinking">
      <summary>
        {isNow ? t("thinking_now") : t("thinking")}
        {isNow && <span className="spinner" />}
      </summary>
      <p className="plain">{step.thinking}</p>
    </details>
  );
}

function Calls({ step, lane, index, at, isLast, isRunning, actions }: PartProps & { step: Step }) {
  const isOpen = isLast && !isRunning && step === lane.steps.at(-1);
  return step.calls.map((call) => (
    <CallView
      key={call.id}
      {...{ call, isOpen }}
      proposal={actions.proposalOf(call.name)}
      onResult={(result) => actions.giveResult(at, index, call.id, result)}
    />
  ));
}

/** How an answer ended, and what it took. */
function StepEnd({ step: { error, finish, timings } }: { step: Step }) {
  const t = useTexts(playgroundTexts);
  return (
    <>
      {error !== undefined && (
        <div className="note is-bad" role="alert">
          {error}
        </div>
      )}
      {finish === "length" && <p className="note is-warn">{t("finish_length")}</p>}
      {finish === "content_filter" && <p className="note is-warn">{t("finish_filter")}</p>}
      {finish === "stopped" && <p className="muted">{t("finish_stopped")}</p>}
      {timings !== undefined && <TimingLine timings={timings} />}
    </>
  );
}

/** What stands for an answer that is not there, yet or at all. */
function Tail({ lane, index, at, isRunning, isBusy, actions }: PartProps) {
  const t = useTexts(playgroundTexts);
  const last = lane.steps.at(-1);
  // What is under way is shown as a step once something of it has come, and has no timings yet.
  if (isRunning) return last === undefined || last.timings !== undefined ? <Waiting /> : null;
  if (last === undefined) return <p className="muted">{t("no_answer")}</p>;
  if (last.error === undefined || isBusy) return null;
  return (
    <div>
      <Button icon="refresh" onClick={() => actions.regenerate(at, index)}>
        {t("retry")}
      </Button>
    </div>
  );
}

function Waiting() {
  const t = useTexts(playgroundTexts);
  return (
    <p className="waiting muted">
      <span className="spinner" />
      {t("waiting")}
    </p>
  );
}

/** An answer that was to be JSON, indented if it is. */
function Json({ text, isRunning }: { text: string; isRunning: boolean }) {
  const t = useTexts(playgroundTexts);
  const indented = isRunning ? undefined : indentedJson(text);
  return (
    <>
      <Code text={indented ?? text} language="json" />
      {!isRunning && indented === undefined && <p className="note is-warn">{t("not_json")}</p>}
    </>
  );
}

/** What came within less tells no rate. */
const RATE_MS_MIN = 10;

/** How long what took, and who answered; where the history has all of it. */
function TimingLine({ timings }: { timings: Timings }) {
  const t = useTexts(playgroundTexts);
  const { count, duration, rate } = useFormat();
  const { queueMs, firstTokenMs, totalMs, inputTokens, outputTokens, cachedTokens } = timings;
  const { endpoint, requestId } = timings;
  const streamMs = totalMs - (firstTokenMs ?? 0);
  const hasRate = outputTokens !== null && outputTokens > 1 && streamMs >= RATE_MS_MIN;
  const parts = [
    endpoint !== null && t("served_by", { name: endpoint }),
    queueMs !== null && t("timing_queue", { time: duration(queueMs) }),
    firstTokenMs !== null && t("timing_first", { time: duration(firstTokenMs) }),
    inputTokens !== null && t("timing_input", { tokens: count(inputTokens) }),
    cachedTokens !== null && t("timing_cached", { tokens: count(cachedTokens) }),
    outputTokens !== null && t("timing_tokens", { count: outputTokens, n: count(outputTokens) }),
    hasRate && t("timing_rate", { rate: rate((1000 * (outputTokens - 1)) / streamMs) }),
    duration(totalMs),
  ];
  return (
    <p className="timings">
      {parts.filter((part) => part !== false).join(" · ")}
      {requestId !== null && (
        <>
          {" · "}
          <Link to="/requests/$id" params={{ id: requestId } as never}>
            {t("request")}
          </Link>
        </>
      )}
    </p>
  );
}
