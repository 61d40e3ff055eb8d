/** Small drawings, each of a 24 by 24 grid. They stand beside words, and say nothing to who reads by ear. */

import { html } from "../html.js";

/** @type {Record<string, string>} */
const PATHS = {
  home: "M3 12 12 4l9 8M6 10v10h12V10M10 20v-5h4v5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21c0-4 3.6-6.5 8-6.5s8 2.5 8 6.5",
  people: "M9 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM2 21c0-4 3-6.5 7-6.5s7 2.5 7 6.5M15.5 4.3a4 4 0 0 1 0 7.4M18 14.9c2.5.9 4 3.1 4 6.1",
  live: "M12 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4M5 19a10 10 0 0 1 0-14M19 5a10 10 0 0 1 0 14",
  wait: "M20 12a8 8 0 1 1-2.6-5.9M20 3v4h-4",
  old: "M12 8v4.5l3 1.8M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  offline: "M3 3l18 18M8.5 16.4a5 5 0 0 1 7 0M5 12.9a10 10 0 0 1 4.6-2.6M19 12.9a10 10 0 0 0-3.4-2.2M12 20h.01",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19.5 7",
  warning: "M12 9v4.5M12 17h.01M10.3 4 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z",
  alarm: "M12 9v4l2.5 1.5M12 20.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM4.5 3.5 2 6M19.5 3.5 22 6",
  calendar: "M5 6h14v14H5zM5 10.5h14M9 3.5V8M15 3.5V8",
  leave: "M14 4H6v16h8M10 12h11M17.5 8.5 21 12l-3.5 3.5",
  filter: "M4 6h16M7 12h10M10.5 18h3",
  board: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  add: "M12 5v14M5 12h14",
  list: "M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01",
  save: "M12 4v11M7.5 11 12 15.5 16.5 11M4 19.5h16",
  print: "M7 9V4h10v5M7 18H4V9h16v9h-3M7 14h10v6H7z",
  figures: "M4 20V10M10 20V4M16 20v-7M22 20H2",
  bring: "M12 15V4M7.5 8.5 12 4l4.5 4.5M4 19.5h16",
  book: "M6 4h13v16H7a2 2 0 0 1-2-2V5a1 1 0 0 1 1-1ZM5 18a2 2 0 0 1 2-2h12",
  layers: "M12 3 3 8l9 5 9-5-9-5ZM3 12.5l9 5 9-5M3 17l9 5 9-5",
  more: "M5 11a1 1 0 1 0 .01 0M12 11a1 1 0 1 0 .01 0M19 11a1 1 0 1 0 .01 0",
  unfold: "M6 9.5l6 6 6-6",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20.5 20.5 16 16",
};

/** @param {{name: string}} props of PATHS */
export function Icon({ name }) {
  return html`
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>
  `;
}
