export const wall = {
  "wall.title": "Wall screen",
  "wall.lead": "Shows the board with initials, without names.",
  "wall.instead": "In this browser the account of {name} is open. The code takes its place.",
  "wall.code": "Code of the screen",
  "wall.codeHint": "An administrator makes it. It holds for ten minutes.",
  "wall.enter": "Switch the screen on",
  "wall.old": "DATA OF {hour}",
  "wall.page": "{n} of {of}",
};
