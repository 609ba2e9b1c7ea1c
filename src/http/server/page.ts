import { z } from "zod";

/** The query of a list in pages: in OpenAI's words (`after`) or in Anthropic's (`after_id`). */
export const PageQuery = z.object({
  /** Most items. Default: all. */
  limit: z.coerce.number().pipe(z.int().min(1)).optional(),
  /** The id of the last item of the page before. */
  after: z.string().optional(),
  after_id: z.string().optional(),
  /** The id of the first item of the page behind. */
  before_id: z.string().optional(),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** Part of a list. */
export interface Page<T> {
  items: T[];
  /** No part of it was asked for. */
  isAll: boolean;
  /** What clients know the next page by. */
  fields: { has_more: boolean; first_id: string | null; last_id: string | null };
}

/**
 * The page of a list that a query asks for. Where an item is gone that it begins behind, it begins
 * where that would stand in a list that is sorted by id.
 */
export function pageOf<T extends { id: string }>(list: readonly T[], query: PageQuery): Page<T> {
  const { limit = list.length, before_id: before } = query;
  const after = query.after ?? query.after_id;
  const isAll = query.limit === undefined && after === undefined && before === undefined;
  const rest = before === undefined ? behind(list, after) : inFront(list, before);
  const items = before === undefined ? rest.slice(0, limit) : rest.slice(-limit);
  const [first_id = null, last_id = null] = [items[0]?.id, items.at(-1)?.id];
  const fields = { has_more: items.length < rest.length, first_id, last_id };
  return { items, isAll, fields };
}

function behind<T extends { id: string }>(list: readonly T[], after: string | undefined): T[] {
  if (after === undefined) return [...list];
  const at = list.findIndex(({ id }) => id === after);
  return at < 0 ? list.filter(({ id }) => id > after) : list.slice(at + 1);
}

function inFront<T extends { id: string }>(list: readonly T[], before: string): T[] {
  const at = list.findIndex(({ id }) => id === before);
  return at < 0 ? list.filter(({ id }) => id < before) : list.slice(0, at);
}
