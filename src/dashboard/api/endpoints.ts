import { useQuery } from "@tanstack/react-query";
import { EndpointDetail, EndpointList } from "../../wire/endpoint.ts";
import { call } from "./call.ts";

/** All endpoints; events keep them up to date. */
export function useEndpoints() {
  return useQuery({
    queryKey: ["endpoints"],
    queryFn: ({ signal }) => call(EndpointList, "GET /api/endpoints", { signal }),
  });
}

/** One endpoint with its models. */
export function useEndpoint(id: string) {
  return useQuery({
    queryKey: ["endpoints", id],
    queryFn: ({ signal }) =>
      call(EndpointDetail, `GET /api/endpoints/${encodeURIComponent(id)}`, { signal }),
  });
}
