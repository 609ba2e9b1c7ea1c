import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { AuditPage, type AuditRecordView, AuditVerdict } from "../../../wire/audit.ts";
import { CallError, call } from "../../api/call.ts";
import { filterQuery } from "../../parts/filterquery.ts";

const KEY = ["audit"];
const PAGE = 100;

/** What the records are to be of; empty texts: anything. Days are the reader's. */
export type AuditFilter = {
  actor: string;
  action: string;
  route: string;
  address: string;
  status: string;
  from: string;
  to: string;
};

/** The records that fit, newest first, page by page. */
export function useAudit(filter: AuditFilter) {
  const query = filterQuery(filter);
  return useInfiniteQuery({
    queryKey: [...KEY, query.toString()],
    queryFn: ({ signal, pageParam }) => {
      const page = new URLSearchParams([...query, ["limit", String(PAGE)]]);
      if (pageParam !== "") page.set("cursor", pageParam);
      return call(AuditPage, `GET /api/audit?${page}`, { signal });
    },
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

/** The record with a number. */
export function useAuditRecord(seq: number) {
  return useQuery({
    queryKey: [...KEY, "record", seq],
    queryFn: async ({ signal }): Promise<AuditRecordView> => {
      const page = await call(AuditPage, `GET /api/audit?limit=1&cursor=${seq + 1}`, { signal });
      const record = page.records.find((one) => one.seq === seq);
      if (record !== undefined) return record;
      throw new CallError(`There is no record ${seq}.`, { status: 404, code: "not_found" });
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Checks the whole log; `since`: `812:Yx3…` of an earlier check, which must still be in it. */
export function verifyAudit(since: string): Promise<AuditVerdict> {
  const [seq = "", mac = ""] = since.trim().split(":");
  const body = since.trim() === "" ? {} : { since: { seq: Number(seq), mac } };
  return call(AuditVerdict, "POST /api/audit/verify", { body });
}
