import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useMay } from "../../api/account.ts";
import { type ListedModel, useModels } from "../../api/models.ts";
import { usePulls } from "../../live/hooks.ts";
import { Button } from "../../parts/button.tsx";
import { FilterChoice, Filters } from "../../parts/filters.tsx";
import { Page, Panel } from "../../parts/page.tsx";
import { Empty, Loaded } from "../../parts/states.tsx";
import { Table } from "../../parts/table.tsx";
import { useUrlState } from "../../parts/urlstate.ts";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { useLoaded } from "./calls.ts";
import { modelColumns } from "./columns.tsx";
import { RegisterWindow } from "./register.tsx";
import { registerTexts } from "./registertexts.ts";
import { filtered, MODEL_SOURCES, MODEL_STATES, type ModelRow, rowsOf } from "./state.ts";
import { modelsTexts } from "./texts.ts";

/** `open`: the window that is open, `register`; `repo` and `file` are what is chosen in it. */
const DEFAULTS = {
  ...{ search: "", state: "", source: "", sort: "name" },
  ...{ open: "", repo: "", file: "" },
};
type State = typeof DEFAULTS;

/** All models, registered and found, and how others are registered. */
export function Models() {
  const t = useTexts(modelsTexts);
  const registerText = useTexts(registerTexts);
  const may = useMay();
  const query = useModels();
  const [state, change] = useUrlState(DEFAULTS);
  const register = (
    <Button kind="primary" icon="plus" onClick={() => change({ open: "register" })}>
      {registerText("register")}
    </Button>
  );
  const mayManage = may("models.manage");
  return (
    <Page title={useTitle("models")} actions={mayManage && register}>
      <Filters label={t("search")} text={state.search} onText={(search) => change({ search })}>
        <FilterChoice
          {...{ label: t("state"), value: state.state }}
          options={[
            ["", t("all_states")],
            ...MODEL_STATES.map((one) => [one, t(`state_${one}`)] as const),
          ]}
          onChange={(one) => change({ state: one })}
        />
        <FilterChoice
          {...{ label: t("source"), value: state.source }}
          options={[
            ["", t("all_sources")],
            ...MODEL_SOURCES.map((one) => [one, t(`source_${one}`)] as const),
          ]}
          onChange={(source) => change({ source })}
        />
      </Filters>
      <Panel>
        <Loaded query={query}>
          {({ data }) => <List models={data} {...{ state, change, mayManage }} />}
        </Loaded>
      </Panel>
      {mayManage && (
        <RegisterWindow
          {...{ isOpen: state.open === "register", repo: state.repo, file: state.file, change }}
          onClose={() => change({ open: "", repo: "", file: "" })}
        />
      )}
    </Page>
  );
}

interface ListProps {
  models: readonly ListedModel[];
  state: State;
  change(changes: Partial<State>): void;
  mayManage: boolean;
}

function List({ models, state, change, mayManage }: ListProps) {
  const t = useTexts(modelsTexts);
  const format = useFormat();
  const navigate = useNavigate();
  const pulls = usePulls();
  const { data } = useLoaded();
  const columns = useMemo(() => modelColumns(t, format), [t, format]);
  const all = useMemo(
    () => rowsOf(models, { loaded: data?.models ?? [], pulls }),
    [models, data, pulls],
  );
  const { search, state: wanted, source } = state;
  const rows = useMemo(
    () => filtered(all, { search, state: wanted, source }),
    [all, search, wanted, source],
  );
  return (
    <Table
      {...{ label: t("list"), columns, rows, idOf: ({ model }: ModelRow) => model.id }}
      {...{ sort: state.sort, onSort: (sort) => change({ sort }) }}
      onOpen={({ model }) =>
        void navigate({ to: "/models/$name", params: { name: model.id } as never })
      }
      empty={
        models.length === 0 ? (
          <Empty title={t("empty")} text={mayManage ? t("empty_text") : t("empty_text_viewer")} />
        ) : (
          <Empty title={t("no_match")} />
        )
      }
    />
  );
}
