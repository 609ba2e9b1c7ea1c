import { ENDPOINT_FIELDS } from "./fields/endpoints.ts";
import type { Field, FieldsOf } from "./fields/field.ts";
import { HUB_FIELDS } from "./fields/hub.ts";
import { JOINING_FIELDS } from "./fields/joining.ts";
import { LIMIT_FIELDS } from "./fields/limits.ts";
import { MODEL_FIELDS } from "./fields/models.ts";
import { NAME_FIELDS } from "./fields/names.ts";
import { OIDC_FIELDS } from "./fields/oidc.ts";
import { PROVIDER_FIELDS } from "./fields/providers.ts";
import { PROXY_FIELDS } from "./fields/proxies.ts";
import { SERVER_FIELDS } from "./fields/server.ts";
import { STORAGE_FIELDS } from "./fields/storage.ts";
import { TLS_FIELDS } from "./fields/tls.ts";
import { WORKER_FIELDS } from "./fields/workers.ts";
import type { Settings } from "./settings.ts";
import type { NamedPath } from "./values/model.ts";

/** The parsed value of every field: the settings, and the projectors that become part of them. */
export interface FieldValues extends Settings {
  /** Projectors, to be joined with the models. */
  mmproj: NamedPath[];
}

export type FieldKey = keyof FieldValues;

/** Every setting, in the order of the help. */
export const FIELDS: FieldsOf<FieldValues> = {
  ...SERVER_FIELDS,
  ...TLS_FIELDS,
  ...OIDC_FIELDS,
  ...JOINING_FIELDS,
  ...MODEL_FIELDS,
  ...WORKER_FIELDS,
  ...HUB_FIELDS,
  ...ENDPOINT_FIELDS,
  ...NAME_FIELDS,
  ...PROVIDER_FIELDS,
  ...PROXY_FIELDS,
  ...LIMIT_FIELDS,
  ...STORAGE_FIELDS,
};

/** The settings' keys, in the order of the help. */
export const FIELD_KEYS = Object.keys(FIELDS) as FieldKey[];

/** The field of a key, whatever its type. */
export function fieldOf(key: FieldKey): Field {
  return FIELDS[key] as Field;
}
