"""Every page of the client, for the tests that all pages have to pass: a new page is covered by a line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    name: str
    path: str
    """`{ticket}` is the id of one of the clinic's."""
    role: str | None
    """Of who looks at it, in the test's clinic; None: nobody is signed in. `display`: a wall screen."""
    ready: str
    """A selector of what is there once the page is."""


SHOWN = (
    Shown("sign-in", "/", None, "input[name=username]"),
    Shown("board", "/board", "clinical", ".card"),
    Shown("wall-code", "/wall", None, "input[name=code]"),
    Shown("wall", "/wall", "display", ".wall-row"),
    Shown("new-ticket", "/tickets/new", "clinical", "[name=surgery_id]"),
    Shown("ticket", "/tickets/{ticket}", "admin", ".ticket-actions a"),
    Shown("handover", "/handover", "viewer", ".handed td"),
    Shown("exports", "/exports", "viewer", "[name=format]"),
    Shown("dashboard", "/dashboard", "admin", "[data-figure=total] strong"),
    Shown("tickets", "/tickets?figure=active", "viewer", "[data-total]"),
    Shown("users", "/users", "admin", ".row-actions"),
    Shown("thresholds", "/thresholds", "superuser", ".bands li"),
    Shown("audit", "/audit", "admin", "[name=user]"),
    Shown("sign-ins", "/audit?trail=logins", "superuser", "td .state"),
    Shown("cache", "/cache", "superuser", ".policies td"),
    Shown("catalogs", "/catalogs?inactive=true", "superuser", "td button"),
    Shown("imports", "/imports", "superuser", ".file"),
    Shown("account", "/account", "viewer", "td"),
)
