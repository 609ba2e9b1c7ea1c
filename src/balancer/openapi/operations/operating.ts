import { AuditPage, AuditVerdict, VerifyBody } from "../../../wire/audit.ts";
import { RecentMetrics } from "../../../wire/event.ts";
import { RequestDetail, RequestPage } from "../../../wire/history.ts";
import { LogAnswer, LogLevelBody, LogQuery } from "../../../wire/log.ts";
import { SettingsAnswer, StorageAnswer } from "../../../wire/settings.ts";
import { UsageReport } from "../../../wire/usage.ts";
import { OlderAuditQuery } from "../../admin/audit/olderroutes.ts";
import { AuditExportQuery, AuditQuery } from "../../admin/audit/routes.ts";
import { DaysQuery, MonthsQuery, OlderRequestQuery } from "../../admin/history/dashboard.ts";
import { RequestQuery } from "../../admin/history/requests.ts";
import { UsageExportQuery, UsageReportQuery } from "../../admin/history/usage.ts";
import { EventQuery, RecentMetricsQuery } from "../../events/routes.ts";
import type { Operations } from "../operation.ts";

const CSV = "text/csv";
const PROMETHEUS = "text/plain";

/** What happened, how it goes, and how it is set. */
export const OPERATING_OPERATIONS: Operations = {
  "GET /health": { summary: "Whether it lives" },
  "GET /ready": { summary: "Whether requests can be served; 503 if not, with the reason" },
  "GET /metrics": { summary: "Metrics for Prometheus", media: PROMETHEUS },
  "GET /api/metrics/cloud": { summary: "Metrics of clouds, for Prometheus", media: PROMETHEUS },
  "GET /api/metrics/recent": {
    summary: "The last hour or day in points",
    query: RecentMetricsQuery,
    answer: { RecentMetrics },
  },
  "GET /api/events": {
    summary: "What happens, as it happens: a stream of events",
    query: EventQuery,
    media: "text/event-stream",
  },
  "GET /api/queue/stats": { summary: "Who waits for a free slot" },
  "GET /api/requests": {
    summary: "The history: list requests, the latest first",
    query: RequestQuery,
    answer: { RequestPage },
  },
  "GET /api/requests/:id": {
    summary: "Show a request; export instead of an id: all of them, as CSV or JSON",
    answer: { RequestDetail },
  },
  "GET /api/usage": {
    summary: "How much was used, by period and group",
    query: UsageReportQuery,
    answer: { UsageReport },
  },
  "GET /api/usage/export": {
    summary: "The same as CSV or JSON",
    query: UsageExportQuery,
    media: CSV,
  },
  "GET /api/audit": {
    summary: "Who changed what, who logged in, who was refused",
    query: AuditQuery,
    answer: { AuditPage },
  },
  "GET /api/audit/export": {
    summary: "The same as CSV or JSON",
    query: AuditExportQuery,
    media: CSV,
  },
  "POST /api/audit/verify": {
    summary: "Check that nobody has changed the audit log",
    body: { VerifyBody },
    example: {},
    answer: { AuditVerdict },
  },
  "GET /api/dashboard/audit-logs": {
    summary: "The audit log in an older form",
    query: OlderAuditQuery,
  },
  "POST /api/dashboard/audit-logs/verify": {
    summary: "Check the audit log, in an older form",
  },
  "GET /api/dashboard/request-responses": {
    summary: "The history in an older form",
    query: OlderRequestQuery,
  },
  "GET /api/dashboard/request-responses/:id": {
    summary: "Show a request in an older form; export instead of an id: all of them",
  },
  "GET /api/dashboard/request-history": { summary: "Requests of the last hour, by minute" },
  "GET /api/dashboard/stats/tokens": { summary: "Tokens in all" },
  "GET /api/dashboard/stats/tokens/daily": { summary: "Tokens by day", query: DaysQuery },
  "GET /api/dashboard/stats/tokens/monthly": { summary: "Tokens by month", query: MonthsQuery },
  "GET /api/logs": {
    summary: "Read the log, or follow it as a stream of events",
    query: LogQuery,
    answer: { LogAnswer },
  },
  "GET /api/log/level": {
    summary: "The least severe level that is logged",
    answer: { LogLevelBody },
  },
  "POST /api/log/level": {
    summary: "Set it, until the process ends",
    body: { LogLevelBody },
    example: { level: "debug" },
    answer: { LogLevelBody },
  },
  "GET /api/settings": {
    summary: "The settings in effect and where each comes from, secrets masked",
    answer: { SettingsAnswer },
  },
  "GET /api/settings/storage": {
    summary: "The folders in use and how full their disks are",
    answer: { StorageAnswer },
  },
  "GET /api/openapi.json": { summary: "This document" },
  "GET /api/docs": { summary: "This document as a page", media: "text/html" },
  "GET /dashboard": { summary: "The dashboard", media: "text/html" },
  "GET /dashboard/*": { summary: "The dashboard, at one of its screens", media: "text/html" },
  "GET /dashboard/assets/*": { summary: "Files of the dashboard", media: "text/javascript" },
};
