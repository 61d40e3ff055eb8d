/** All texts in Spanish, as it is spoken in Chile: the first language. An area's are a file in `es/`. */

import { account } from "./es/account.js";
import { audit } from "./es/audit.js";
import { board } from "./es/board.js";
import { cache } from "./es/cache.js";
import { catalogs } from "./es/catalogs.js";
import { dashboard } from "./es/dashboard.js";
import { exports } from "./es/exports.js";
import { filters } from "./es/filters.js";
import { handover } from "./es/handover.js";
import { imports } from "./es/imports.js";
import { newTicket } from "./es/new-ticket.js";
import { patients } from "./es/patients.js";
import { problems } from "./es/problems.js";
import { shell } from "./es/shell.js";
import { thresholds } from "./es/thresholds.js";
import { ticket } from "./es/ticket.js";
import { ticketHistory } from "./es/ticket-history.js";
import { tickets } from "./es/tickets.js";
import { users } from "./es/users.js";
import { wall } from "./es/wall.js";

export const es = {
  ...account,
  ...audit,
  ...board,
  ...cache,
  ...catalogs,
  ...dashboard,
  ...exports,
  ...filters,
  ...handover,
  ...imports,
  ...newTicket,
  ...patients,
  ...problems,
  ...shell,
  ...thresholds,
  ...ticket,
  ...ticketHistory,
  ...tickets,
  ...users,
  ...wall,
};
