export const newTicket = {
  "surgery.option": "{name} ({n} h)",
  "surgery.choose": "Choose the surgery",
  "surgery.noDoctor": "No doctor",
  "surgery.local": "The clinic's time.",
  "surgery.editHint": "Another surgery does not change the FPA. Another time calculates the admission anew, and the FPA if nobody has modified it.",
  "surgery.unlikely": "Is the surgery on {day}, {year}? That is too far from today.",
  "surgery.meant": "No: on {day}, {year}",

  "newTicket.title": "New ticket",
  "newTicket.action": "Create the ticket",
  "newTicket.chooseClinic": "Choose the clinic",
  "newTicket.made": "{ticket} created.",
};
