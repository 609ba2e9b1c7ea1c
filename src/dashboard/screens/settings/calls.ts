import { useQuery } from "@tanstack/react-query";
import { NodeList } from "../../../wire/node.ts";
import { SettingsAnswer, StorageAnswer } from "../../../wire/settings.ts";
import { call } from "../../api/call.ts";

/** Nodes tell what they run with at their checks, which no event is about. */
const NODES_EVERY_MS = 30_000;

/** The settings in effect; they change only when llmlb is started again. */
export function useSettings() {
  return useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => call(SettingsAnswer, "GET /api/settings", { signal }),
  });
}

/** What takes how much room. */
export function useStorage() {
  return useQuery({
    queryKey: ["settings", "storage"],
    queryFn: ({ signal }) => call(StorageAnswer, "GET /api/settings/storage", { signal }),
  });
}

/** What the nodes run with. */
export function useNodes() {
  return useQuery({
    queryKey: ["nodes"],
    queryFn: ({ signal }) => call(NodeList, "GET /api/nodes", { signal }),
    refetchInterval: NODES_EVERY_MS,
  });
}
