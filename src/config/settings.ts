import type { EndpointSettings } from "./fields/endpoints.ts";
import type { HubSettings } from "./fields/hub.ts";
import type { JoiningSettings } from "./fields/joining.ts";
import type { LimitSettings } from "./fields/limits.ts";
import type { ModelSettings } from "./fields/models.ts";
import type { NameSettings } from "./fields/names.ts";
import type { OidcSettings } from "./fields/oidc.ts";
import type { ProviderSettings } from "./fields/providers.ts";
import type { ProxySettings } from "./fields/proxies.ts";
import type { ServerSettings } from "./fields/server.ts";
import type { StorageSettings } from "./fields/storage.ts";
import type { TlsSettings } from "./fields/tls.ts";
import type { WorkerSettings } from "./fields/workers.ts";

/** All settings in effect in one process, parsed once at start and passed down. */
export interface Settings
  extends ServerSettings,
    TlsSettings,
    OidcSettings,
    JoiningSettings,
    ModelSettings,
    WorkerSettings,
    HubSettings,
    EndpointSettings,
    NameSettings,
    ProviderSettings,
    ProxySettings,
    LimitSettings,
    StorageSettings {}
