/** Strokes on a field of 16 × 16. */
const PATHS = {
  audit: "M3.5 2.5h9v11h-9zM6 5.500h4M6 8h4M6 10.500h2",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  down: "M4 6l4 4 4-4",
  endpoints: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  fleet: "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5h-4.5zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5h-4.5z",
  image: "M2.5 3h11v10h-11zM2.5 11l3-3 2.500 2.500 2-2 3.500 3.500M10.500 6h.01",
  invitations: "M2.500 4h11v8.500h-11zM2.500 4.500L8 9l5.500-4.500",
  keys: "M10.5 2.5a3 3 0 1 1-2.6 4.5L3 12v1.5h2V12h1.5v-1.5H8L9 9.4",
  logo: "M2 8h4M10 3h4M10 8h4M10 13h4M6 8l4-5M6 8h4M6 8l4 5",
  logs: "M3 3.5h10M3 6.5h7M3 9.5h10M3 12.5h6",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  models: "M8 2l5.5 3v6L8 14l-5.5-3V5zM2.5 5L8 8l5.5-3M8 8v6",
  overview: "M2.5 13.5v-5M6.2 13.5v-9M9.8 13.5V7M13.5 13.5V3",
  pencil: "M3 13l.7-3L10 3.7l2.3 2.3L6 12.3zM8.7 5l2.3 2.3",
  playground: "M2.5 3h11v8H7l-3 2.5V11H2.5z",
  plus: "M8 3v10M3 8h10",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5",
  requests: "M2.5 5h9L9 2.5M13.5 11h-9L7 13.5",
  send: "M2.5 8h10M8.5 4l4 4-4 4",
  sessions: "M2.500 3h11v7.500h-11zM8 10.500v3M5.500 13.500h5",
  settings: "M3 4.5h6M12 4.5h1M3 11.5h1M7 11.5h6M10.5 3v3M5.5 10v3",
  stop: "M4 4h8v8H4z",
  up: "M4 10l4-4 4 4",
  usage: "M2.5 13.5h11M3 10l3-3 2.5 2L13 4",
  users: "M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.4-2.9 2.2-4 5-4s4.6 1.1 5 4",
  warning: "M8 2.500l6 10.500H2zM8 6.500v3M8 11.300h.01",
} as const;

export type IconName = keyof typeof PATHS;

/** A small drawing beside words; never the only thing that says something. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
