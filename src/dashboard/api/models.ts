import { useQuery } from "@tanstack/react-query";
import { z } from "zod";
import { call } from "./call.ts";

const ListedModel = z.object({ id: z.string(), ready: z.boolean().default(true) });
const ModelList = z.object({ data: z.array(ListedModel) });

/** The models that the reader may use, as `GET /v1/models` lists them. */
export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => call(ModelList, "GET /v1/models", { signal }),
  });
}
