export const wall = {
  "wall.title": "Pantalla de sala",
  "wall.lead": "Muestra el tablero con iniciales, sin nombres.",
  "wall.instead": "En este navegador está abierta la cuenta de {name}. El código la reemplaza.",
  "wall.code": "Código de la pantalla",
  "wall.codeHint": "Lo hace un administrador. Vale diez minutos.",
  "wall.enter": "Encender la pantalla",
  "wall.old": "DATOS DE LAS {hour}",
  "wall.page": "{n} de {of}",
};
