export const shell = {
  "frame.skip": "Skip to content",
  "frame.home": "Ticket Home, start",
  "frame.places": "Pages",
  "frame.account": "My account: {name}",
  "frame.clinic": "Clinic",
  "frame.network": "Whole network",
  "frame.administration": "Administration",
  "frame.more": "More",
  "frame.unattended": "Nobody has touched this screen for a while: the session ends in less than a minute. Touch the screen or a key to go on.",

  "nowhere.title": "There is no such page",
  "nowhere.back": "Back to the start",

  "home.title": "Start",

  "standing.connecting": "Connecting",
  "standing.live": "Live",
  "standing.reconnecting": "Reconnecting",
  "standing.stale": "Unconfirmed",
  "standing.offline": "Offline",
  "standing.repeating": { one: "{n} change to send", other: "{n} changes to send" },

  "release.newer": "There is a new version of this page.",
  "release.reload": "Load it",

  "language.es-CL": "Español",
  "language.en": "English",

  "theme.system": "As the system",
  "theme.light": "Light",
  "theme.dark": "Dark",

  "dialog.save": "Save",
  "dialog.cancel": "Cancel",
  "dialog.close": "Close",

  "toast.all": "Messages",
  "toast.undo": "Undo",
  "toast.again": "Send again",

  "keys.title": "Keys",
  "keys.help": "This list",
  "keys.search": "Search",
  "keys.new": "A new row",

  "state.loading": "Loading",
  "state.again": "Try again",
  "state.asOf": "Data of {hour}",
  "state.readAt": "Read at {time}.",
  "state.readAgain": "Read again",

  "meaning.of": "What it means: {name}",
};
