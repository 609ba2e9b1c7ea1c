import type { Screen } from "./screen.ts";

/** All screens, in the order of the navigation. */
export const SCREENS: readonly Screen[] = [
  {
    ...{ name: "overview", path: "/", icon: "overview" },
    permission: "endpoints.read",
    load: async () => ({ default: (await import("./overview/overview.tsx")).Overview }),
  },
  {
    ...{ name: "fleet", path: "/fleet", icon: "fleet" },
    permission: "endpoints.read",
    load: async () => ({ default: (await import("./fleet/fleet.tsx")).Fleet }),
  },
  {
    ...{ name: "endpoints", path: "/endpoints", icon: "endpoints" },
    permission: "endpoints.read",
    load: async () => ({ default: (await import("./endpoints/endpoints.tsx")).Endpoints }),
    below: [
      {
        path: "/endpoints/$id",
        load: async () => ({ default: (await import("./endpoints/endpoint.tsx")).EndpointPage }),
      },
    ],
  },
  {
    ...{ name: "models", path: "/models", icon: "models" },
    permission: "registry.read",
    load: async () => ({ default: (await import("./models/models.tsx")).Models }),
    below: [
      {
        path: "/models/$name",
        load: async () => ({ default: (await import("./models/model.tsx")).ModelScreen }),
      },
    ],
  },
  {
    ...{ name: "playground", path: "/playground", icon: "playground" },
    permission: "openai.inference",
    load: async () => ({ default: (await import("./playground/playground.tsx")).Playground }),
  },
  {
    ...{ name: "requests", path: "/requests", icon: "requests" },
    load: async () => ({ default: (await import("./requests/requests.tsx")).Requests }),
    below: [
      {
        path: "/requests/$id",
        load: async () => ({ default: (await import("./requests/request.tsx")).RequestScreen }),
      },
    ],
  },
  {
    ...{ name: "usage", path: "/usage", icon: "usage" },
    load: async () => ({ default: (await import("./usage/usage.tsx")).Usage }),
  },
  {
    ...{ name: "keys", path: "/keys", icon: "keys" },
    load: async () => ({ default: (await import("./keys/keys.tsx")).Keys }),
  },
  {
    ...{ name: "users", path: "/users", icon: "users" },
    permission: "users.manage",
    load: async () => ({ default: (await import("./users/users.tsx")).Users }),
    below: [
      {
        path: "/users/$id",
        load: async () => ({ default: (await import("./users/user.tsx")).UserScreen }),
      },
    ],
  },
  {
    ...{ name: "invitations", path: "/invitations", icon: "invitations" },
    permission: "invitations.manage",
    load: async () => ({ default: (await import("./invitations/invitations.tsx")).Invitations }),
  },
  {
    ...{ name: "sessions", path: "/sessions", icon: "sessions" },
    load: async () => ({ default: (await import("./sessions/sessions.tsx")).Sessions }),
  },
  {
    ...{ name: "audit", path: "/audit", icon: "audit" },
    permission: "audit.read",
    load: async () => ({ default: (await import("./audit/audit.tsx")).Audit }),
    below: [
      {
        path: "/audit/$seq",
        load: async () => ({ default: (await import("./audit/record.tsx")).AuditRecord }),
      },
    ],
  },
  {
    ...{ name: "logs", path: "/logs", icon: "logs" },
    permission: "logs.read",
    load: async () => ({ default: (await import("./logs/logs.tsx")).Logs }),
  },
  {
    ...{ name: "settings", path: "/settings", icon: "settings" },
    permission: "settings.read",
    load: async () => ({ default: (await import("./settings/settings.tsx")).SettingsScreen }),
  },
];
