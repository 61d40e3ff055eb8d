export const newTicket = {
  "surgery.option": "{name} ({n} h)",
  "surgery.choose": "Elegir la cirugía",
  "surgery.noDoctor": "Sin médico",
  "surgery.local": "Hora de la clínica.",
  "surgery.editHint": "Otra cirugía no cambia la FPA. Otra hora calcula de nuevo el ingreso, y la FPA si nadie la ha modificado.",
  "surgery.unlikely": "¿La cirugía es el {day} de {year}? Está demasiado lejos de hoy.",
  "surgery.meant": "No: el {day} de {year}",

  "newTicket.title": "Nuevo ticket",
  "newTicket.action": "Crear el ticket",
  "newTicket.chooseClinic": "Elegir la clínica",
  "newTicket.made": "{ticket} creado.",
};
