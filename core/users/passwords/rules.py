"""Which passwords are taken: long ones that nobody guesses first (NIST SP 800-63B).

How many guesses one takes is zxcvbn's estimate (Wheeler, USENIX Security 2016), which knows leaked passwords, names,
dates, keyboards and what people write instead of letters. What it does not know is given to it: this service's and its
hospitals' words, in their language, and the user's own.
"""

import re
from collections.abc import Iterable

from zxcvbn import zxcvbn

from core.errors import Invalid
from core.sessions.throttle import plain
from core.users.passwords.placeholders import is_single_sign_on

SHORTEST = 12
LONGEST = 1024
GUESSES = 10**10
"""zxcvbn's highest score: fewer, and a stolen table of slow hashes gives the password away in months."""
LOOKED_AT = 40
"""Characters: the estimate takes ever longer with the length."""
SIGNS = frozenset("@({[<&#!/|$+%")
SIGNS_LOOKED_AT = 4
"""Different ones of those that may stand for letters: each multiplies what is tried, up to seconds for what was made
to be slow. A fifth is a sign like any other."""

WORDS = (
    *("ticket-home-demo", "ticket-home", "tickethome", "ticket", "home", "demo", "redsalud"),
    *("clinica", "hospital", "salud", "chile", "fpa", "alta"),
    *("contrasena", "clave", "secreto", "acceso", "entrar", "ingreso", "usuario", "administrador", "sistema", "prueba"),
    *("enfermera", "enfermero", "enfermeria", "medico", "medica", "doctor", "doctora", "paciente", "urgencia"),
    *("pabellon", "cirugia", "cirujano", "cama", "turno", "sala", "matrona", "tens", "jefe", "jefa"),
    *("bienvenido", "bienvenida", "bienvenidos", "hola", "universidad", "colocolo", "vivachile", "teamo", "tequiero"),
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre"),
    *("noviembre", "diciembre", "lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo"),
    *("verano", "otono", "invierno", "primavera", "iquique", "elqui", "valparaiso", "providencia", "santiago"),
    *("vitacura", "rancagua", "temuco", "magallanes", "concepcion", "antofagasta", "serena"),
)
"""The first that anybody here would try, folded."""


def check_new_password(
    password: str, *, username: str, email: str, clinic: str | None, path: str = "new_password"
) -> None:
    """Raises Invalid for what is too short, guessed too soon, or the user's own name; `path` is the refused field.

    `clinic`: the name of the user's. Takes a millisecond or two.
    """
    if len(password) < SHORTEST:
        raise Invalid.field(path, "too_short", f"At least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Invalid.field(path, "too_long", f"At most {LONGEST} characters.")
    if plain(password.strip()) in {plain(username), plain(email), plain(email.partition("@")[0])}:
        raise Invalid.field(path, "is_username", "The same as the user name or the email.")
    if is_single_sign_on(password) or guesses(password, (username, email, clinic or "")) < GUESSES:
        raise Invalid.field(path, "too_common", "It is guessed too soon. A few words that nobody expects are better.")


def guesses(password: str, own: Iterable[str]) -> float:
    """How many guesses it takes somebody who knows the texts in `own`, as an estimate."""
    folded = plain(password)
    known = [*WORDS]
    for text in map(plain, own):
        # Whole, and without what stands between its words; and its words.
        known += [text, re.sub(r"\W|_", "", text), *re.split(r"[\W_]+", text)]
    words = [word for word in known if len(word) > 1]
    # What stands between words is worth little: whoever knows the words tries both.
    spellings = {_beginning(folded), _beginning(re.sub(r"[\W_]+", "", folded))} - {""}
    return min(float(zxcvbn(spelling, user_inputs=words)["guesses"]) for spelling in spellings)


def _beginning(text: str) -> str:
    """As much of it as can be looked at in milliseconds."""
    beginning = text[:LOOKED_AT]
    signs = list(dict.fromkeys(character for character in beginning if character in SIGNS))
    return beginning.translate({ord(sign): "~" for sign in signs[SIGNS_LOOKED_AT:]})
