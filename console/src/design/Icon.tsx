/** Icons drawn on a 16 grid with one stroke width; decorative unless a label is given. */
const PATHS = {
  upload: "M8 10.5V2.8M4.8 5.8 8 2.6l3.2 3.2M2.5 10.8v1.7a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-1.7",
  download: "M8 2.5v7.7M4.8 7.2 8 10.4l3.2-3.2M2.5 11.2v1.3a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-1.3",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2",
  check: "M3 8.6 6.3 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  pencil: "M10.8 2.9a1.3 1.3 0 0 1 1.9 0l.4.4a1.3 1.3 0 0 1 0 1.9L6 12.3l-3.3 1 1-3.3 7.1-7.1Z",
  undo: "M5.5 3 2.7 5.8l2.8 2.8M3 5.8h6.2a3.8 3.8 0 0 1 0 7.6H6.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13.3 9.5A5.6 5.6 0 0 1 6.5 2.7a5.6 5.6 0 1 0 6.8 6.8Z",
  screen: "M2.5 3.5h11v7.5h-11zM6 13.5h4M8 11v2.5",
  help: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM6.3 6.3a1.750 1.750 0 1 1 2.6 1.6c-.6.3-.9.7-.9 1.3M8 11.4h.01",
  down: "M4 6.2l4 4 4-4",
  right: "M6.2 4l4 4-4 4",
  left: "M9.8 4l-4 4 4 4",
  copy: "M6 6h7.5v7.5H6zM3.5 10H2.5V2.5H10v1",
  key: "M5.3 13.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4ZM7.3 8.5 13 2.8M10.6 5.2l2 2",
  people: "M6 7.5a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM1.8 13.2c.2-2.3 1.9-3.7 4.2-3.7s4 1.4 4.2 3.7M10.5 3.3a2.2 2.2 0 0 1 0 4M11.8 9.8c1.5.5 2.4 1.7 2.5 3.4",
  book: "M8 4c-1.4-1-3.3-1.2-5.5-1v9.5c2.2-.2 4.1 0 5.5 1 1.4-1 3.3-1.2 5.5-1V3c-2.2-.2-4.1 0-5.5 1ZM8 4v9.5",
  building: "M3 13.5v-11h6.5v11M9.5 6.5H13v7M1.8 13.5h12.4M5.2 5.2h2M5.2 7.8h2M5.2 10.4h2",
  file: "M9 2H4.5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h7a1 1 0 0 0 1-1V5.5L9 2ZM9 2v3.5h3.5M5.8 8.5h4.4M5.8 11h3",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.5",
  warning: "M8 2.5 14.2 13.3H1.8L8 2.5ZM8 6.5v3.2M8 11.5h.01",
  lock: "M3.5 7.3h9v6.2h-9zM5.3 7.3V5.2a2.7 2.7 0 0 1 5.4 0v2.1",
  play: "M4.8 3.2v9.6L12.5 8z",
  stop: "M4.2 4.2h7.6v7.6H4.2z",
  trash: "M2.8 4.3h10.4M6.3 4.3V2.7h3.4v1.6M4 4.3l.6 9.2h6.8l.6-9.2",
  model: "M8 2.2l1.3 3.6 3.6 1.3-3.6 1.3L8 12l-1.3-3.6-3.6-1.3 3.6-1.3L8 2.2ZM12.7 11v2.8M11.3 12.4h2.8",
  classifier: "M2.5 13.5h11M4.3 13.2V9M8 13.2V3M11.7 13.2V6.5",
  rule: "M6 4.2h7.5M6 8h7.5M6 11.8h7.5M2.5 4.2l.8.7 1.3-1.5M2.5 8l.8.7 1.3-1.5M2.5 11.8l.8.7 1.3-1.5",
  quote: "M3 9.5c0-3 1-4.7 3-5.5M3 9.5a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 0 0-3.6 0ZM9.2 9.5c0-3 1-4.7 3-5.5M9.2 9.5a1.8 1.8 0 1 0 3.6 0 1.8 1.8 0 0 0-3.6 0Z",
  absent: "M3 3.5h10v9H3zM5.5 10 10.5 6",
  refresh: "M13.2 6.3A5.5 5.5 0 0 0 3 5.5M2.8 9.7A5.5 5.5 0 0 0 13 10.5M3 2.5v3h3M13 13.5v-3h-3",
  signout: "M6.5 2.5H3v11h3.5M10 5l3 3-3 3M13 8H6.2",
  sliders: "M2.5 5h6M12 5h1.5M2.5 11H5M8.5 11h5M10.2 6.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4ZM6.8 12.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z",
  plus: "M8 3v10M3 8h10",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  chat: "M13.5 3.5h-11v7.500h2.500v2.500l3-2.500h5.500z",
  send: "M2.800 8h10.400M9 3.800 13.200 8 9 12.200",
  hook: "M5.500 6.500a2.500 2.500 0 1 1 3.600-.7L7 9.500M10.200 8.400a2.500 2.500 0 1 1-1.400 4.600M4.800 8.300a2.500 2.500 0 1 0 2.600 3.400h3.900",
  branch: "M5 4.500v7M5 8c0-1.500 1-2 2.500-2H10M5 4.300a1.300 1.300 0 1 0 0-2.600 1.300 1.300 0 0 0 0 2.600ZM5 14.200a1.300 1.300 0 1 0 0-2.600 1.300 1.300 0 0 0 0 2.600ZM11.300 7.300a1.300 1.300 0 1 0 0-2.600 1.300 1.300 0 0 0 0 2.600Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, label }: { name: IconName; size?: number; label?: string }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      focusable="false"
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a coiled spring. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden focusable="false">
      <path
        d="M16.2 15.6a1.7 1.7 0 0 1 1.5 1.9c-.2 1.6-1.7 2.6-3.4 2.3-2.4-.4-3.8-2.7-3.3-5.1.6-3.1 3.5-4.9 6.5-4.3 3.8.8 6 4.4 5.2 8.2-1 4.5-5.2 7.2-9.7 6.2C7.6 23.6 4.5 18.6 5.8 13.3 7.2 7.2 13 3.7 19 5.1c3.4.8 6 2.9 7.5 5.7"
        stroke="currentColor"
        strokeWidth="2.5"
        strokeLinecap="round"
      />
    </svg>
  );
}
