/** The client's pages, by address. A new page is a line here, and one in `PAGES` of api/web/routes.py. */

import { AccountPage } from "./pages/account.js";
import { AuditPage } from "./pages/audit/audit.js";
import { BoardPage } from "./pages/board.js";
import { CachePage } from "./pages/cache/cache.js";
import { CatalogsPage } from "./pages/catalogs/catalogs.js";
import { DashboardPage } from "./pages/dashboard/dashboard.js";
import { ExportsPage } from "./pages/exports.js";
import { HandoverPage } from "./pages/handover.js";
import { HomePage } from "./pages/home.js";
import { ImportsPage } from "./pages/imports/imports.js";
import { NewTicketPage } from "./pages/new-ticket.js";
import { TicketPage } from "./pages/ticket.js";
import { ThresholdsPage } from "./pages/thresholds.js";
import { TicketsPage } from "./pages/tickets/tickets.js";
import { UsersPage } from "./pages/users/users.js";
import { WallPage } from "./pages/wall.js";

/**
 * @typedef {object} Route
 * @property {string} path  `:name` takes one part of the path, and is among the page's `params`.
 * @property {(given: {params: Record<string, string>, query: URLSearchParams}) => import("./html.js").Shown} page
 * @property {import("./shell/text.js").Key} title
 * @property {import("./service/session.js").Role} [role]  Who may see it, at least; without one, whoever is signed in.
 * @property {string} [icon]  It stands in the navigation with this icon (parts/icon.js); without one, it does not.
 * @property {"phone" | "always"} [behind]  In the navigation's menu: where there is no room, as on a phone, or always.
 * @property {boolean} [open]  Also for whom nobody knows, without the frame: such as a wall screen.
 */

/** @type {Route[]} */
export const ROUTES = [
  { path: "/", page: HomePage, title: "home.title" },
  { path: "/board", page: BoardPage, title: "board.title", icon: "board" },
  { path: "/wall", page: WallPage, title: "wall.title", open: true },
  { path: "/tickets/new", page: NewTicketPage, title: "newTicket.title", role: "clinical", icon: "add" },
  { path: "/tickets/:id", page: TicketPage, title: "ticketPage.title" },
  { path: "/handover", page: HandoverPage, title: "handover.title", icon: "list" },
  { path: "/exports", page: ExportsPage, title: "exports.title", icon: "save", behind: "phone" },
  { path: "/dashboard", page: DashboardPage, title: "dashboard.title", role: "admin", icon: "figures", behind: "phone" },
  { path: "/tickets", page: TicketsPage, title: "tickets.title", icon: "search" },
  { path: "/catalogs", page: CatalogsPage, title: "catalogs.title", role: "admin", icon: "book", behind: "always" },
  { path: "/imports", page: ImportsPage, title: "imports.title", role: "superuser", icon: "bring", behind: "always" },
  { path: "/users", page: UsersPage, title: "users.title", role: "admin", icon: "people", behind: "always" },
  { path: "/thresholds", page: ThresholdsPage, title: "thresholds.title", role: "admin", icon: "old", behind: "always" },
  { path: "/audit", page: AuditPage, title: "audit.title", role: "admin", icon: "list", behind: "always" },
  { path: "/cache", page: CachePage, title: "cache.title", role: "superuser", icon: "layers", behind: "always" },
  { path: "/account", page: AccountPage, title: "account.title" },
];
