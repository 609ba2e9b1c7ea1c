import { overRoute } from "../../translation/overroute.ts";
import type { Translation } from "../../translation/translation.ts";
import type { RouteName } from "../../wire/route.ts";

/**
 * Puts a client's request in the terms of an upstream's API, under the upstream's name for the
 * model: the body is complete. Throws 400 `invalid_request` for what that API cannot say.
 */
export type Translator = (request: unknown, model: string) => Translation;

type Body = Translation["body"];

/** Makes an upstream's own body of one for any server that has the path. */
export type BodyEdit = (path: string, body: Body) => Body;

/** A translation into an API whose bodies name the model. */
export function namingModel(
  translate: (request: unknown) => Translation,
  edit: BodyEdit = (_, body) => body,
): Translator {
  return (request, model) => {
    const translation = translate(request);
    const { path, body, fixedAnswer } = translation;
    const stream = translation.stream?.bind(translation);
    return {
      path,
      body: edit(path, { ...body, model }),
      answer: (json) => translation.answer(json),
      ...(stream === undefined ? {} : { stream }),
      ...(fixedAnswer === undefined ? {} : { fixedAnswer }),
    };
  };
}

const OVER_ROUTE = new Map(
  Object.entries(overRoute).map(([name, translate]) => [name, namingModel(translate)]),
);

/** How a route is put to endpoints that lack it; undefined where they cannot be asked otherwise. */
export function translatorOf(name: RouteName): Translator | undefined {
  return OVER_ROUTE.get(name);
}
