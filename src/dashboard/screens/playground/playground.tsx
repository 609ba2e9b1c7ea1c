import { useEffect, useState } from "react";
import { type ListedModel, useModels } from "../../api/models.ts";
import { queries } from "../../api/queries.ts";
import { keep, kept } from "../../app/storage.ts";
import { Button, IconButton } from "../../parts/button.tsx";
import { Window } from "../../parts/dialog.tsx";
import { Page } from "../../parts/page.tsx";
import { Empty, Loaded, Loading } from "../../parts/states.tsx";
import { useTexts } from "../../text/i18n.ts";
import { useTitle } from "../titles.ts";
import { Composer } from "./composer.tsx";
import { ConversationList } from "./list.tsx";
import type { Room } from "./room.ts";
import { BenchSettings } from "./settings.tsx";
import type { Shelf } from "./shelf.ts";
import { Snippet } from "./snippet.tsx";
import type { ConversationHead } from "./store.ts";
import { playgroundTexts } from "./texts.ts";
import { Transcript } from "./transcript.tsx";
import { useAddress, useRoom, useShelf } from "./useshelf.ts";

/** Talking to models. */
export function Playground() {
  const t = useTexts(playgroundTexts);
  const models = useModels();
  const { shelf, state } = useShelf();
  const { heads, room, fault } = state;
  useAddress(shelf, room);
  const panels = usePanels();
  const [isCodeOpen, setCodeOpen] = useState(false);
  const actions = (
    <>
      <PanelButton panel="list" icon="logs" label={t("conversations")} panels={panels} />
      <Button icon="plus" disabled={shelf === undefined} onClick={() => shelf?.create()}>
        {t("create")}
      </Button>
      <IconButton
        icon="copy"
        label={t("code")}
        disabled={room === undefined}
        onClick={() => setCodeOpen(true)}
      />
      <PanelButton panel="settings" icon="settings" label={t("settings")} panels={panels} />
    </>
  );
  return (
    <Page title={useTitle("playground")} actions={actions}>
      {fault !== undefined && (
        <div className="note is-bad" role="alert">
          {t("not_kept", { reason: String(fault) })}
        </div>
      )}
      <Loaded query={models}>
        {({ data }) => {
          const chats = data.filter(({ capabilities }) => capabilities?.chat_completion !== false);
          if (chats.length === 0)
            return <Empty title={t("no_models")} text={t("no_models_text")} />;
          if (shelf === undefined || room === undefined) return <Loading />;
          return <Bench {...{ shelf, heads, room, panels }} models={chats} />;
        }}
      </Loaded>
      <Window title={t("code")} isOpen={isCodeOpen} onClose={() => setCodeOpen(false)}>
        {room !== undefined && <Snippet conversation={room.state.conversation} />}
      </Window>
    </Page>
  );
}

interface BenchProps {
  shelf: Shelf;
  heads: readonly ConversationHead[];
  room: Room;
  models: readonly ListedModel[];
  panels: Panels;
}

/** The conversation, with the others on its left and its settings on its right. */
function Bench({ shelf, heads, room, models, panels }: BenchProps) {
  const t = useTexts(playgroundTexts);
  const { conversation, running } = useRoom(room);
  const { id, targets, turns } = conversation;
  const [first] = targets;
  const usual = models.find(({ ready }) => ready) ?? models[0];
  const needsModel = first?.model === "" && usual !== undefined;
  useEffect(() => {
    if (needsModel) room.change({ targets: [{ model: usual.id, endpoint: "" }] });
  }, [needsModel, usual, room]);
  const isAnswering = running.length > 0;
  const isCold = targets.some(
    ({ model }) => models.find(({ id }) => id === model)?.loaded === false,
  );
  const hasAnswered = !isAnswering && turns.length > 0;
  useEffect(() => {
    // What has answered is no longer cold, which the list of models is not told at once.
    if (isCold && hasAnswered)
      void queries.invalidateQueries({ queryKey: ["models"], exact: true });
  }, [isCold, hasAnswered]);
  const blind = targets
    .map(({ model }) => models.find((one) => one.id === model))
    .flatMap((model) => (model?.capabilities?.image_understanding === false ? [model.id] : []));
  return (
    <div className={`bench ${[...panels.open].map((panel) => `has-${panel}`).join(" ")}`}>
      {panels.open.has("list") && (
        <ConversationList {...{ shelf, heads }} openId={id} onOpen={panels.chosen} />
      )}
      <div className="talk">
        {turns.length === 0 ? (
          <Empty title={t("empty")} text={t("empty_text")} />
        ) : (
          <Transcript key={`said in ${id}`} room={room} />
        )}
        <Composer
          key={`to say in ${id}`}
          {...{ blind, isAnswering }}
          onSay={(said) => room.say(said)}
          onStop={() => room.stop()}
        />
      </div>
      {panels.open.has("settings") && (
        <BenchSettings
          key={id}
          {...{ conversation, models }}
          change={(changes) => room.change(changes)}
        />
      )}
    </div>
  );
}

const PANELS = ["list", "settings"] as const;
type PanelName = (typeof PANELS)[number];

interface Panels {
  open: ReadonlySet<PanelName>;
  toggle(panel: PanelName): void;
  /** Something was chosen in a panel: where it hides the conversation, it goes. */
  chosen(): void;
}

const KEPT_AS = "playground.panels";
/** Where both panels beside the conversation leave it too little room. */
const NARROW = "(max-width: 760px)";
const MIDDLE = "(max-width: 1240px)";

function usePanels(): Panels {
  const isNarrow = matchMedia(NARROW).matches;
  const [open, setOpen] = useState<ReadonlySet<PanelName>>(() => {
    if (isNarrow) return new Set();
    const usual = matchMedia(MIDDLE).matches ? "settings" : "list settings";
    const names = (kept(KEPT_AS) ?? usual).split(" ");
    return new Set(PANELS.filter((name) => names.includes(name)));
  });
  const toggle = (panel: PanelName) => {
    const others = isNarrow ? [] : [...open].filter((one) => one !== panel);
    const next = new Set<PanelName>(open.has(panel) ? others : [...others, panel]);
    setOpen(next);
    if (!isNarrow) keep(KEPT_AS, [...next].join(" "));
  };
  return { open, toggle, chosen: () => isNarrow && setOpen(new Set()) };
}

function PanelButton(props: {
  panel: PanelName;
  icon: "logs" | "settings";
  label: string;
  panels: Panels;
}) {
  const { panel, icon, label, panels } = props;
  return (
    <IconButton
      {...{ icon, label, isPressed: panels.open.has(panel) }}
      onClick={() => panels.toggle(panel)}
    />
  );
}
