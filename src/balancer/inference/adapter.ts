import { ModelRewrite, withModel } from "../../http/proxy/rewrite/model.ts";
import type { Rewritten } from "../../http/proxy/rewrite/rewrite.ts";
import { withFixedStampIn } from "../../http/proxy/rewrite/stamp.ts";
import { askingForUsage, UsageEdit } from "../../http/proxy/rewrite/usage.ts";
import type { JsonBody } from "../../http/server/body.ts";
import { asBuffer } from "../../lib/buffer.ts";
import { withExactDigits } from "../../lib/json.ts";
import { TranslationRewrite } from "../../translation/rewrite.ts";
import type { Translation } from "../../translation/translation.ts";
import { estimatePromptTokens } from "../record/estimate.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { UpstreamRequest } from "./body.ts";
import type { RequestContext } from "./context.ts";
import { completionLines, plainRewrite } from "./plainrewrite.ts";
import { withoutUnsignedThoughts } from "./signedthoughts.ts";

/**
 * Puts a request with a JSON body in the terms of whichever upstream it goes to: as it came if that
 * has the route and knows the model by the client's name, else with the upstream's own name for the
 * model in its place, or translated.
 */
export class RequestAdapter {
  readonly #context: RequestContext;
  readonly #body: JsonBody<Record<string, unknown>>;

  constructor(context: RequestContext, body: JsonBody<Record<string, unknown>>) {
    this.#context = context;
    this.#body = body;
  }

  /** What an upstream is sent. Throws 400 `invalid_request` for what it cannot be asked. */
  requestFor(upstream: Upstream): UpstreamRequest {
    const { route, model, modelId, streams, pathAndQuery } = this.#context;
    const support = upstream.supportOf(route);
    const name = upstream.modelName(modelId, model);
    if (support !== "native") {
      const { fixedAnswer, ...translation } = support(withExactDigits(this.#body), name);
      const isFixed = fixedAnswer !== undefined && !upstream.loadsByChat;
      return this.#translated(isFixed ? { ...translation, fixedAnswer } : translation);
    }
    if (route.hasStreamOptions && streams && upstream.usageSupport !== "left_alone") {
      return this.#withUsage(upstream, name);
    }
    const isStamped = route.dialect === "anthropic" && upstream.ignoresStamps;
    const { bytes: given, value } = this.#body;
    const stamped = isStamped ? withFixedStampIn(given, value.system) : given;
    const isStrict = route.dialect === "anthropic" && upstream.wantsSignatures;
    const bytes = isStrict ? withoutUnsignedThoughts(stamped) : stamped;
    const isRenamed = name !== model;
    const rename = isRenamed ? new ModelRewrite(model) : undefined;
    return {
      pathAndQuery,
      body: isRenamed ? withModel(bytes, name) : bytes,
      rewrite: streams ? plainRewrite(route, rename) : rename,
    };
  }

  #translated(translation: Translation): UpstreamRequest {
    const { model, dialect, requestId, streams } = this.#context;
    const { path, body, fixedAnswer } = translation;
    return {
      pathAndQuery: path,
      body: Buffer.from(JSON.stringify(body)),
      rewrite: new TranslationRewrite({ translation, model, dialect, requestId, streams }),
      ...(fixedAnswer === undefined ? {} : { fixedAnswer }),
    };
  }

  /** A stream of completions, which tells usage if the client asked for it, and only then. */
  #withUsage({ usageSupport }: Upstream, name: string): UpstreamRequest {
    const { model, pathAndQuery, route } = this.#context;
    const bytes = this.#body.bytes;
    const given = this.#body.value.stream_options;
    const options = isObject(given) ? given : {};
    const isAskedFor = options.include_usage === true;
    // Of vLLM and others: usage so far in every event.
    const isContinuous = options.continuous_usage_stats === true;
    const isRenamed = name !== model;
    if (!isAskedFor && !isRenamed && usageSupport === "on_request") {
      const rewrite = { whole: passed, stream: () => completionLines([]) };
      return { pathAndQuery, body: bytes, rewrite: plainRewrite(route, rewrite) };
    }
    const mayAsk = usageSupport === "if_asked_for" && given === undefined;
    const renamed = isRenamed ? withModel(bytes, name) : bytes;
    const rename = isRenamed ? [new ModelRewrite(model)] : [];
    const promptTokens = () => estimatePromptTokens(asBuffer(bytes));
    const edits = () => [
      ...rename,
      ...(isContinuous ? [] : [new UsageEdit({ asked: isAskedFor, promptTokens })]),
    ];
    return {
      pathAndQuery,
      body: mayAsk ? askingForUsage(renamed) : renamed,
      rewrite: plainRewrite(route, {
        whole: (answer) => rename[0]?.whole(answer) ?? { bytes: answer },
        stream: () => completionLines(edits()),
      }),
    };
  }
}

function passed(bytes: Buffer): Rewritten {
  return { bytes };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
