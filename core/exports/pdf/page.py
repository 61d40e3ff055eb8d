"""The printed ticket: one A5 page, whatever is on it. Every text has its place and as many lines as that has room for.

Takes some ten milliseconds of a processor, in a thread: too long for the event loop, too short for a process.
"""

import asyncio
from io import BytesIO
from threading import Lock

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A5
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from core.exports.pdf.contents import LastModification, Printed, When
from core.exports.pdf.text import BOLD, ELLIPSIS, REGULAR, fitted, letters, plain

WIDTH, HEIGHT = A5
MARGIN = 32
TOP = 24
FOOT = 22
"""The last line."""
SIGNED_AT = 60
"""Where the lines to sign on are."""
SIGNING = 40
"""To sign in: 14 mm."""
LINE_APART = 20
"""Of handwriting: 7 mm."""
RIGHT = WIDTH - MARGIN
INNER = WIDTH - 2 * MARGIN

INK = HexColor("#1D2733")
GREY = HexColor("#5B6775")
LINE = HexColor("#C3CCD6")
ACCENT = HexColor("#00607A")
TINT = HexColor("#EAF4F7")
RED = HexColor("#B3261E")

_drawing = Lock()
"""ReportLab keeps its fonts, and which letters of them a document uses, for the whole process."""


async def pdf(ticket: Printed) -> bytes:
    """The printed ticket, drawn in a thread."""
    return await asyncio.to_thread(draw, ticket)


def draw(ticket: Printed) -> bytes:
    """The printed ticket as a PDF file. Blocks; one at a time."""
    with _drawing:
        letters()
        made = BytesIO()
        page = PaperPage(Canvas(made, pagesize=A5, lang="es-CL"))
        page.draw(ticket)
        return made.getvalue()


class PaperPage:
    """`y` is where the next thing begins, from above; in points, as ReportLab counts them from below."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.y = HEIGHT - TOP

    def draw(self, ticket: Printed) -> None:
        canvas = self._canvas
        canvas.setTitle(f"Ticket Home {plain(ticket.id)}")
        canvas.setAuthor(plain(ticket.clinic))
        canvas.setSubject("Fecha probable de alta")
        self._head(ticket)
        self._patient(ticket)
        if ticket.change is None:
            self._block("Fecha probable de alta", ticket.original)
        else:
            self._changed(ticket.change)
            self._original(ticket.original)
        self._facts(ticket.facts)
        self._notes()
        self._signatures()
        self._foot(ticket)
        canvas.showPage()
        canvas.save()

    def _text(self, x: float, y: float, text: str, size: float, font: str = REGULAR, colour: Color = INK) -> None:
        self._canvas.setFont(font, size)
        self._canvas.setFillColor(colour)
        self._canvas.drawString(x, y, text)

    def _lines(
        self, text: str, size: float, lines: int, *, x: float = MARGIN, width: float = INNER, font: str = REGULAR,
        colour: Color = INK,
    ) -> None:  # fmt: skip
        """Below one another, from `y` on."""
        for line in fitted(text, font, size, width, lines):
            self.y -= size * 1.25
            self._text(x, self.y, line, size, font, colour)

    def _head(self, ticket: Printed) -> None:
        top = self.y
        self._lines(ticket.clinic, 13, 2, width=INNER - 130, font=BOLD, colour=ACCENT)
        for offset, text, size, font in ((11, "Ticket Home", 9, REGULAR), (24, plain(ticket.id), 10.5, BOLD)):
            self._text(RIGHT - stringWidth(text, font, size), top - offset, text, size, font, GREY)
        self.y = min(self.y, top - 26) - 8
        self._canvas.setStrokeColor(ACCENT)
        self._canvas.setLineWidth(1.4)
        self._canvas.line(MARGIN, self.y, RIGHT, self.y)

    def _patient(self, ticket: Printed) -> None:
        self.y -= 10
        if ticket.is_annulled:
            self._text(RIGHT - stringWidth("ANULADO", BOLD, 20), self.y - 30, "ANULADO", 20, BOLD, RED)
        self._lines("Paciente", 9, 1, colour=GREY)
        width = INNER - 110 if ticket.is_annulled else INNER
        self._lines(fewer_names(ticket.patient, 20, width, 2), 20, 2, width=width, font=BOLD)
        self.y -= 14

    def _block(self, title: str, when: When, below: tuple[str, ...] = ()) -> None:
        """The discharge block, large; `below` it what is to be said of it, each on lines of its own."""
        inner, width = MARGIN + 14, INNER - 28
        said = [fitted(text, REGULAR, 9.5, width, 3) for text in below]
        height = 88 + (12 if when.ends else 0) + sum(12 * len(lines) + 4 for lines in said)
        self._canvas.setFillColor(TINT)
        self._canvas.setStrokeColor(ACCENT)
        self._canvas.setLineWidth(1)
        self._canvas.roundRect(MARGIN, self.y - height, INNER, height, 7, stroke=1, fill=1)
        bottom = self.y - height
        self.y -= 6
        self._lines(title, 9.5, 1, x=inner, font=BOLD, colour=ACCENT)
        self.y -= 4
        self._lines(when.day, 14, 1, x=inner, width=width, font=BOLD)
        self.y -= 33
        self._text(inner, self.y, when.block, 28, BOLD, INK)
        nights = when.nights
        self._text(RIGHT - 14 - stringWidth(nights, REGULAR, 12), self.y, nights, 12)
        if when.ends:
            self.y -= 4
            self._lines(f"Termina el {when.ends}.", 9, 1, x=inner, width=width, colour=GREY)
        self.y -= 4
        for lines in said:
            for line in lines:
                self.y -= 12
                self._text(inner, self.y, line, 9.5)
            self.y -= 4
        self.y = bottom - 8

    def _changed(self, change: LastModification) -> None:
        said = []
        if change.reason is not None:
            said.append(f"Motivo: {change.reason}")
        if change.at is not None:
            said.append(f"Última modificación: {change.at} (n.º {change.number}).")
        self._block("Nueva fecha probable de alta", change.when, tuple(said))

    def _original(self, when: When) -> None:
        self._lines("Fecha probable de alta original", 9, 1, colour=GREY)
        self._lines(f"{when.day}, {when.block}", 10.5, 1, width=INNER - 80)
        self._text(RIGHT - stringWidth(when.nights, REGULAR, 10.5), self.y, when.nights, 10.5)
        self.y -= 8

    def _facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        self._canvas.setStrokeColor(LINE)
        self._canvas.setLineWidth(0.6)
        label, value = 104, MARGIN + 110
        for name, text in facts:
            # The surgery's name is the longest.
            self._canvas.line(MARGIN, self.y, RIGHT, self.y)
            self.y -= 2
            beside = self.y - 10 * 1.25
            self._lines(text, 10, 2 if name == facts[0][0] else 1, x=value, width=RIGHT - value)
            self._text(MARGIN, beside, fitted(name, REGULAR, 9, label, 1)[0], 9, REGULAR, GREY)
            self.y -= 4
        self._canvas.line(MARGIN, self.y, RIGHT, self.y)

    def _notes(self) -> None:
        """Room to write by hand: all that the page has left above the signatures."""
        top, bottom = self.y - 8, SIGNED_AT + SIGNING
        self._canvas.setStrokeColor(LINE)
        self._canvas.setLineWidth(0.8)
        self._canvas.roundRect(MARGIN, bottom, INNER, top - bottom, 5)
        self._text(MARGIN + 8, top - 11, "Notas", 8.5, REGULAR, GREY)
        self._canvas.setLineWidth(0.4)
        for y in range(bottom + LINE_APART, int(top - 2 * LINE_APART), LINE_APART):
            self._canvas.line(MARGIN + 8, y, RIGHT - 8, y)
        self.y = bottom

    def _signatures(self) -> None:
        """Always at the same place, above the foot."""
        width = (INNER - 26) / 2
        self._canvas.setStrokeColor(INK)
        self._canvas.setLineWidth(0.8)
        sides = {MARGIN: "Firma del paciente o acompañante", RIGHT - width: "Firma y timbre del profesional"}
        for x, text in sides.items():
            self._canvas.line(x, SIGNED_AT, x + width, SIGNED_AT)
            self._text(x, SIGNED_AT - 11, text, 8.5, REGULAR, GREY)

    def _foot(self, ticket: Printed) -> None:
        self._text(MARGIN, FOOT + 11, "La fecha es una estimación y puede cambiar según la evolución del paciente.", 8)
        self._text(MARGIN, FOOT, f"Impreso el {ticket.at}.", 8, REGULAR, GREY)


def fewer_names(called: str, size: float, width: float, lines: int) -> str:
    """Of several given names the last ones give way, not the surname's initial."""
    *given, initial = called.split()
    while len(given) > 1 and fitted(" ".join([*given, initial]), BOLD, size, width, lines)[-1].endswith(ELLIPSIS):
        given.pop()
    return " ".join([*given, initial])
