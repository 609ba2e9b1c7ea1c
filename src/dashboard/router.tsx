import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { NotFound, ScreenError } from "./app/failure.tsx";
import { Shell } from "./app/shell.tsx";
import { SCREENS } from "./screens/screens.ts";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const routes = SCREENS.flatMap(({ path, load, below = [] }) =>
  [{ path, load }, ...below].map((screen) =>
    createRoute({
      getParentRoute: () => root,
      path: screen.path,
      component: lazyRouteComponent(screen.load),
      errorComponent: ScreenError,
    }),
  ),
);

/** The addresses below `/dashboard`, one for each screen. */
export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: "/dashboard",
  defaultPreload: "intent",
});
