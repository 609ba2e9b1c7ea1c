import type { ZodType } from "zod";

/** One schema by its name: `{ EndpointDetail }`. The name is what the document calls it. */
export type NamedSchema = Readonly<Record<string, ZodType>>;

/** What a route is for, takes and answers. */
export interface Operation {
  /** One line, without a full stop. */
  summary: string;
  /** What else a reader should know. */
  description?: string;
  /** Of an object; what reads the query. */
  query?: ZodType;
  /** What reads the body; it is JSON. */
  body?: NamedSchema;
  /** A body that must validate, as an example. */
  example?: object;
  /** What it answers, if that is JSON of a shape that does not vary. */
  answer?: NamedSchema;
  /** Default: 200; 204 has no body. */
  status?: 200 | 201 | 204 | 302;
  /** What it answers with instead of JSON. */
  media?: string;
  /** What it takes instead of JSON. */
  takes?: string;
}

/** Operations by route as it is registered: `GET /api/endpoints/:id`. */
export type Operations = Readonly<Record<string, Operation>>;
