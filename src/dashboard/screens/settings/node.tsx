import { Link } from "@tanstack/react-router";
import type { NodeView } from "../../../wire/node.ts";
import type { VersionsView } from "../../../wire/settings.ts";
import { Window } from "../../parts/dialog.tsx";
import { Facts } from "../../parts/page.tsx";
import { Empty } from "../../parts/states.tsx";
import { useFormat } from "../../text/format.ts";
import { useTexts } from "../../text/i18n.ts";
import { settingsTexts } from "./texts.ts";
import { Version } from "./version.tsx";
import { VERSION_PARTS } from "./versions.ts";

interface NodeWindowProps {
  own: VersionsView;
  /** Undefined: it is gone. */
  node: NodeView | undefined;
  isOpen: boolean;
  onClose(): void;
}

/** One node: its versions, the backend it computes with, those it does not, and its devices. */
export function NodeWindow({ own, node, isOpen, onClose }: NodeWindowProps) {
  const t = useTexts(settingsTexts);
  const title = node === undefined ? t("node_gone") : t("node", { name: node.name });
  return (
    <Window {...{ title, isOpen, onClose }}>
      {node === undefined ? <Empty title={t("nodes_empty_text")} /> : <Detail {...{ own, node }} />}
    </Window>
  );
}

function Detail({ own, node }: { own: VersionsView; node: NodeView }) {
  const t = useTexts(settingsTexts);
  const { versions, backend, skipped_backends, gpus } = node;
  return (
    <>
      <Facts
        facts={[
          ...VERSION_PARTS.map(
            (part) => [t(part), <Version key={part} {...{ part, own, versions }} />] as const,
          ),
          [t("backend"), backend ?? t("backend_none")],
        ]}
      />
      <Devices node={node} />
      <h3 className="settings-part">{t("backends_skipped")}</h3>
      {skipped_backends.length === 0 && <p className="hint">{t("backends_skipped_none")}</p>}
      <ul className="settings-lines">
        {skipped_backends.map((skipped) => (
          <li key={skipped.backend}>
            <strong>{skipped.backend}</strong> {skipped.reason}
          </li>
        ))}
      </ul>
      <h3 className="settings-part">{t("gpus")}</h3>
      {gpus.length === 0 && <p className="hint">{t("gpus_none")}</p>}
      <ul className="settings-lines">
        {gpus.map(({ vendor, address, driver, driver_version }) => (
          <li key={address}>
            <strong>{vendor}</strong> {address} {driver} {driver_version}
          </li>
        ))}
      </ul>
      <Link to="/endpoints/$id" params={{ id: node.endpoint_id } as never}>
        {t("endpoint")}
      </Link>
    </>
  );
}

function Devices({ node: { devices } }: { node: NodeView }) {
  const t = useTexts(settingsTexts);
  const { bytes } = useFormat();
  return (
    <>
      <h3 className="settings-part">{t("devices")}</h3>
      {devices.length === 0 && <p className="hint">{t("devices_none")}</p>}
      <ul className="settings-lines">
        {devices.map(({ name, description, free_memory_bytes, total_memory_bytes }) => (
          <li key={name}>
            <strong>{name}</strong> {description}
            <div className="hint">
              {t("free", { free: bytes(free_memory_bytes), total: bytes(total_memory_bytes) })}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
