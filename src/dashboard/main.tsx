import "./style/all.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { askWhoIAm } from "./api/account.ts";
import { whenSignedOut } from "./api/call.ts";
import { queries } from "./api/queries.ts";
import { invitationInAddress } from "./app/invitationlink.ts";
import { Toasts } from "./parts/toast.tsx";
import { router } from "./router.tsx";

whenSignedOut(() => void askWhoIAm());
// The link of an invitation that is opened where the page is open loads nothing by itself.
addEventListener("hashchange", () => invitationInAddress() !== undefined && location.reload());

const place = document.getElementById("root");
if (place !== null) {
  createRoot(place).render(
    <QueryClientProvider client={queries}>
      <Toasts>
        <RouterProvider router={router} />
      </Toasts>
    </QueryClientProvider>,
  );
}
