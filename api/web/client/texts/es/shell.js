export const shell = {
  "frame.skip": "Ir al contenido",
  "frame.home": "Ticket Home, inicio",
  "frame.places": "Páginas",
  "frame.account": "Mi cuenta: {name}",
  "frame.clinic": "Clínica",
  "frame.network": "Toda la red",
  "frame.administration": "Administración",
  "frame.more": "Más",
  "frame.unattended": "Nadie ha tocado esta pantalla hace rato: la sesión termina en menos de un minuto. Para seguir, toca la pantalla o una tecla.",

  "nowhere.title": "Esta página no existe",
  "nowhere.back": "Volver al inicio",

  "home.title": "Inicio",

  "standing.connecting": "Conectando",
  "standing.live": "En vivo",
  "standing.reconnecting": "Reconectando",
  "standing.stale": "Sin confirmar",
  "standing.offline": "Sin conexión",
  "standing.repeating": { one: "{n} cambio por enviar", other: "{n} cambios por enviar" },

  "release.newer": "Hay una versión nueva de esta página.",
  "release.reload": "Cargarla",

  "language.es-CL": "Español",
  "language.en": "English",

  "theme.system": "Como el sistema",
  "theme.light": "Claro",
  "theme.dark": "Oscuro",

  "dialog.save": "Guardar",
  "dialog.cancel": "Cancelar",
  "dialog.close": "Cerrar",

  "toast.all": "Avisos",
  "toast.undo": "Deshacer",
  "toast.again": "Enviar de nuevo",

  "keys.title": "Teclas",
  "keys.help": "Esta lista",
  "keys.search": "Buscar",
  "keys.new": "Una fila nueva",

  "state.loading": "Cargando",
  "state.again": "Intentar de nuevo",
  "state.asOf": "Datos de las {hour}",
  "state.readAt": "Leído a las {time}.",
  "state.readAgain": "Leer de nuevo",

  "meaning.of": "Qué significa: {name}",
};
