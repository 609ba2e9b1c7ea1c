import type { ComponentType } from "react";
import type { Permission } from "../../wire/permission.ts";
import type { IconName } from "../parts/icon.tsx";
import type { ScreenName } from "./titles.ts";

/**
 * A screen of the dashboard. To add one: a folder beside this file, and lines in `screens.ts` and
 * `titles.ts`.
 */
export interface Screen {
  /** Its folder's name. */
  name: ScreenName;
  /** Its address below `/dashboard`; what follows it is the screen's own: `/endpoints/$id`. */
  path: string;
  icon: IconName;
  /** Without it the screen is not there. Default: everybody may see it. */
  permission?: Permission;
  /** Its code, which is fetched when it is first shown. */
  load(): Promise<{ default: ComponentType }>;
  /** Further addresses with screens of their own, not in the navigation. */
  below?: { path: string; load(): Promise<{ default: ComponentType }> }[];
}
