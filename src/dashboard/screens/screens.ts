import { endpointsTexts } from "./endpoints/texts.ts";
import { overviewTexts } from "./overview/texts.ts";
import type { Screen } from "./screen.ts";

/** All screens, in the order of the navigation. */
export const SCREENS: readonly Screen[] = [
  {
    ...{ name: "overview", path: "/", icon: "overview", texts: overviewTexts },
    permission: "endpoints.read",
    load: async () => ({ default: (await import("./overview/overview.tsx")).Overview }),
  },
  {
    ...{ name: "endpoints", path: "/endpoints", icon: "endpoints", texts: endpointsTexts },
    permission: "endpoints.read",
    load: async () => ({ default: (await import("./endpoints/endpoints.tsx")).Endpoints }),
    below: [
      {
        path: "/endpoints/$id",
        load: async () => ({ default: (await import("./endpoints/endpoint.tsx")).EndpointPage }),
      },
    ],
  },
];
