import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { partsTexts } from "./texts.ts";

interface PagedQuery {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** Goes on with a list that comes page by page, newest first, as long as there is more. */
export function More({ query }: { query: PagedQuery }) {
  const t = useTexts(partsTexts);
  if (!query.hasNextPage) return null;
  return (
    <Button isBusy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
      {t("more")}
    </Button>
  );
}
