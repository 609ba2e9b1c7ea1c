import { z } from "zod";
import { PageQuery } from "../../../http/server/page.ts";
import { RegisteredQuery } from "../../../registry/routes.ts";
import { Manifest } from "../../../wire/manifest.ts";
import { ModelPreview, PreviewBody } from "../../../wire/preview.ts";
import { PriceBody, PriceListAnswer, PriceView } from "../../../wire/price.ts";
import {
  HubModel,
  ModelChangeBody,
  RegisterBody,
  RegisteredDetail,
  RegisteredList,
  Registration,
} from "../../../wire/registry.ts";
import {
  FleetLoadBody,
  FleetResidencyBody,
  LoadedModelList,
  ResidencyAnswer,
} from "../../../wire/residency.ts";
import { ModelPullAnswer } from "../../../wire/sync.ts";
import type { Operations } from "../operation.ts";

const HubModels = z.array(HubModel);
const SLASHES = "The model's id may have its slashes as they are, or percent-encoded.";

/** Models: those that are served, registered, loaded, and what they cost. */
export const MODEL_OPERATIONS: Operations = {
  "GET /v1/models": {
    summary: "List the models that can be used, as OpenAI and Anthropic do",
    query: PageQuery,
  },
  "GET /v1/models/*": { summary: "Show a model", description: SLASHES },
  "GET /api/models": {
    summary: "List the registered models",
    query: RegisteredQuery,
    answer: { RegisteredList },
  },
  "POST /api/models/register": {
    summary: "Register a model of the hub; nodes fetch it",
    body: { RegisterBody },
    answer: { Registration },
    status: 201,
  },
  "POST /api/models/preview": {
    summary: "What a model of the hub would be, and where it would fit",
    body: { PreviewBody },
    answer: { ModelPreview },
  },
  "GET /api/models/hub": {
    summary: "List the registered models as the hub describes them",
    answer: { HubModels },
  },
  "GET /api/models/registry/*": {
    summary: "What files a model needs: …/registry/{model}/manifest.json",
    description: SLASHES,
    answer: { Manifest },
  },
  "GET /api/models/*": {
    summary:
      "Show a registered model; …/{model}/progress: how nodes fetch it, …/places: where it is",
    description: SLASHES,
    answer: { RegisteredDetail },
  },
  "POST /api/models/*": {
    summary: "…/{model}/pull: let nodes fetch a model now",
    description: SLASHES,
    answer: { ModelPullAnswer },
  },
  "PATCH /api/models/*": {
    summary: "Change a registered model",
    description: SLASHES,
    body: { ModelChangeBody },
    answer: { RegisteredDetail },
  },
  "DELETE /api/models/*": {
    summary: "Remove a model; nodes delete what they fetched for it",
    description: SLASHES,
    status: 204,
  },
  "GET /api/models/loaded": { summary: "List the loaded models", answer: { LoadedModelList } },
  "POST /api/models/load": {
    summary: "Load a model",
    body: { FleetLoadBody },
    answer: { ResidencyAnswer },
  },
  "POST /api/models/unload": {
    summary: "Unload a model",
    body: { FleetResidencyBody },
    answer: { ResidencyAnswer },
  },
  "POST /api/models/pin": {
    summary: "Load a model and keep it loaded",
    body: { FleetResidencyBody },
    answer: { ResidencyAnswer },
  },
  "POST /api/models/unpin": {
    summary: "Let a model be unloaded for others",
    body: { FleetResidencyBody },
    answer: { ResidencyAnswer },
  },
  "GET /api/prices": { summary: "What models cost", answer: { PriceListAnswer } },
  "PUT /api/prices/:model": {
    summary: "Set what a model costs; the name may have a * in it",
    body: { PriceBody },
    example: { input_per_million: 1, output_per_million: 2 },
    answer: { PriceView },
  },
  "DELETE /api/prices/:model": { summary: "Forget what a model costs", status: 204 },
};
