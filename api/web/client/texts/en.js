/** All texts in English. An area's are a file in `en/`. */

import { account } from "./en/account.js";
import { audit } from "./en/audit.js";
import { board } from "./en/board.js";
import { cache } from "./en/cache.js";
import { catalogs } from "./en/catalogs.js";
import { dashboard } from "./en/dashboard.js";
import { exports } from "./en/exports.js";
import { filters } from "./en/filters.js";
import { handover } from "./en/handover.js";
import { imports } from "./en/imports.js";
import { newTicket } from "./en/new-ticket.js";
import { patients } from "./en/patients.js";
import { problems } from "./en/problems.js";
import { shell } from "./en/shell.js";
import { thresholds } from "./en/thresholds.js";
import { ticket } from "./en/ticket.js";
import { ticketHistory } from "./en/ticket-history.js";
import { tickets } from "./en/tickets.js";
import { users } from "./en/users.js";
import { wall } from "./en/wall.js";

/** @type {import("../shell/text.js").Catalog} */
export const en = {
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
