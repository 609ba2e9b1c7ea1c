import { defineTexts } from "../../text/i18n.ts";

export const roleTexts = defineTexts(
  "role",
  {
    admin: "Admin",
    admin_hint: "May do everything, also with other users.",
    title: "Role",
    viewer: "Viewer",
    viewer_hint: "Uses models, sees endpoints and models, and what is his own.",
  },
  {
    admin: "管理者",
    admin_hint: "他のユーザーの管理を含め、すべての操作ができます。",
    title: "役割",
    viewer: "閲覧者",
    viewer_hint: "モデルの利用と、エンドポイント、モデル、自分の情報の閲覧ができます。",
  },
);
