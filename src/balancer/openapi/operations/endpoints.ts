import { z } from "zod";
import { PageQuery } from "../../../http/server/page.ts";
import {
  EndpointChangeBody,
  EndpointCheckView,
  EndpointDetail,
  EndpointList,
  EndpointModelView,
  EndpointSync,
  EndpointTest,
  NewEndpointBody,
} from "../../../wire/endpoint.ts";
import {
  AnnouncementAnswer,
  AnnouncementBody,
  EnrolmentAnswer,
  EnrolmentBody,
  EnrolmentTokenAnswer,
  EnrolmentTokenBody,
  EnrolmentTokenList,
  EnrolmentTokenView,
} from "../../../wire/enrolment.ts";
import { WorkerAnswer } from "../../../wire/lending.ts";
import { LogAnswer, LogQuery } from "../../../wire/log.ts";
import { Manifest } from "../../../wire/manifest.ts";
import { NodeList } from "../../../wire/node.ts";
import {
  AssignedModelList,
  DownloadLeaseAnswer,
  DownloadLeaseBody,
  ModelReportBody,
} from "../../../wire/sync.ts";
import { CheckQuery, EndpointQuery } from "../../admin/endpoints/routes.ts";
import type { Operations } from "../operation.ts";

const EndpointModels = z.looseObject({
  endpoint_id: z.string(),
  models: z.array(EndpointModelView),
});
const EndpointChecks = z.object({
  endpoint_id: z.string(),
  checks: z.array(EndpointCheckView),
});

/** Endpoints, and the nodes that enrol themselves. */
export const ENDPOINT_OPERATIONS: Operations = {
  "GET /api/endpoints": {
    summary: "List the endpoints",
    query: EndpointQuery,
    answer: { EndpointList },
  },
  "POST /api/endpoints": {
    summary: "Add an endpoint; it is checked at once",
    body: { NewEndpointBody },
    example: { name: "gpu9", base_url: "http://127.0.0.1:9", notes: "in the cellar" },
    answer: { EndpointDetail },
    status: 201,
  },
  "GET /api/endpoints/:id": { summary: "Show an endpoint", answer: { EndpointDetail } },
  "PUT /api/endpoints/:id": {
    summary: "Change an endpoint, as PATCH does",
    body: { EndpointChangeBody },
    example: { notes: "in the attic" },
    answer: { EndpointDetail },
  },
  "PATCH /api/endpoints/:id": {
    summary: "Change fields of an endpoint; null clears one",
    body: { EndpointChangeBody },
    example: { slots: 4 },
    answer: { EndpointDetail },
  },
  "DELETE /api/endpoints/:id": { summary: "Remove an endpoint", status: 204 },
  "POST /api/endpoints/:id/test": { summary: "Check an endpoint now", answer: { EndpointTest } },
  "POST /api/endpoints/:id/drain": {
    summary: "Send an endpoint no more requests",
    answer: { EndpointDetail },
  },
  "POST /api/endpoints/:id/undrain": {
    summary: "Send an endpoint requests again",
    answer: { EndpointDetail },
  },
  "POST /api/endpoints/:id/sync": {
    summary: "Read an endpoint's models now",
    answer: { EndpointSync },
  },
  "GET /api/endpoints/:id/models": {
    summary: "List an endpoint's models",
    query: PageQuery,
    answer: { EndpointModels },
  },
  "GET /api/endpoints/:id/checks": {
    summary: "List the health checks of an endpoint, the latest first",
    query: CheckQuery,
    answer: { EndpointChecks },
  },
  "GET /api/endpoints/:id/logs": {
    summary: "Read the log of an endpoint that is a node",
    query: LogQuery,
    answer: { LogAnswer },
  },
  "GET /api/enrolment-tokens": {
    summary: "List the tokens by which nodes enrol",
    answer: { EnrolmentTokenList },
  },
  "POST /api/enrolment-tokens": {
    summary: "Make a token by which nodes enrol; it is shown once",
    body: { EnrolmentTokenBody },
    example: {},
    answer: { EnrolmentTokenAnswer },
    status: 201,
  },
  "GET /api/enrolment-tokens/:id": { summary: "Show a token", answer: { EnrolmentTokenView } },
  "DELETE /api/enrolment-tokens/:id": { summary: "Revoke a token", status: 204 },
  "GET /api/nodes": { summary: "List the nodes and their hosts", answer: { NodeList } },
  "POST /api/nodes": {
    summary: "Enrol a node; the token in the body lets it in",
    body: { EnrolmentBody },
    answer: { EnrolmentAnswer },
    status: 201,
  },
  "POST /api/nodes/:id/announce": {
    summary: "A node tells where it is",
    body: { AnnouncementBody },
    answer: { AnnouncementAnswer },
  },
  "POST /api/nodes/:id/leave": { summary: "A node ends", status: 204 },
  "GET /api/nodes/:id/workers/:name": {
    summary: "A node asks how to use another's devices",
    answer: { WorkerAnswer },
  },
  "GET /api/nodes/:id/models": {
    summary: "The models that a node shall have",
    answer: { AssignedModelList },
  },
  "GET /api/nodes/:id/models/manifest": {
    summary: "What files a model needs, and which nodes have them",
    query: z.object({ model: z.string() }),
    answer: { Manifest },
  },
  "POST /api/nodes/:id/models/turn": {
    summary: "A node asks whether it may fetch a model from the hub now",
    body: { DownloadLeaseBody },
    answer: { DownloadLeaseAnswer },
  },
  "POST /api/nodes/:id/models/report": {
    summary: "A node reports the models that it has or fetches",
    body: { ModelReportBody },
    status: 204,
  },
};
