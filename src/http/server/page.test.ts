import { expect, test } from "bun:test";
import { PageQuery, pageOf } from "./page.ts";

const LIST = ["a", "c", "e", "g", "i"].map((id) => ({ id }));

function page(query: PageQuery) {
  const { items, isAll, fields } = pageOf(LIST, query);
  return [items.map(({ id }) => id).join(""), isAll ? undefined : fields.has_more];
}

test("without a limit all is one page, of which nothing is told", () => {
  expect(page({})).toEqual(["acegi", undefined]);
});

test.each([
  [{ limit: 2 }, "ac", true],
  [{ limit: 5 }, "acegi", false],
  [{ limit: 99 }, "acegi", false],
  [{ after: "c" }, "egi", false],
  [{ after: "c", limit: 2 }, "eg", true],
  [{ after_id: "c", limit: 3 }, "egi", false],
  [{ after: "i", limit: 3 }, "", false],
  [{ after: "d", limit: 2 }, "eg", true],
  [{ before_id: "g", limit: 2 }, "ce", true],
  [{ before_id: "g" }, "ace", false],
  [{ before_id: "f", limit: 9 }, "ace", false],
] as [PageQuery, string, boolean][])("%j is the page %p", (query, ids, hasMore) => {
  expect(page(query)).toEqual([ids, hasMore]);
});

test("pages one behind the other are the whole list", () => {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const { items, fields } = pageOf(LIST, { limit: 2, ...(after && { after }) });
    seen.push(...items.map(({ id }) => id));
    after = fields.last_id ?? undefined;
    if (!fields.has_more) break;
  }
  expect(seen).toEqual(LIST.map(({ id }) => id));
});

test("a query that asks for less than nothing is none", () => {
  for (const limit of ["0", "-1", "x", "1.5"]) {
    expect(PageQuery.safeParse({ limit }).success).toBe(false);
  }
  expect(PageQuery.parse({ limit: "7", other: "x" })).toEqual({ limit: 7 });
});
