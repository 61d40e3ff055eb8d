"""Which passwords are taken: long ones that nobody guesses first (NIST SP 800-63B)."""

from core.errors import Invalid
from core.users.no_password import is_single_sign_on

SHORTEST = 12
LONGEST = 1024
DISTINCT = 5
"""Different characters at least: `aaaaaaaaaaaa` and `121212121212` are long, and no more."""

# Twelve characters and more that lead the lists of leaked passwords, and what people here add to make twelve of eight.
COMMON = frozenset(
    word
    for line in (
        "123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 012345678901 098765432109",
        "123123123123 112233445566 123321123321 102030405060 147258369147 147258369258 789456123789",
        "qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiopasdf qwertyuiopasdfghjkl qwerty123456 qwerty12345678",
        "qwertyqwerty qwerty123qwerty qwertyasdfgh qazwsxedcrfv",
        "1qaz2wsx3edc 1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i",
        "q1w2e3r4t5y6 asdfghjkl123 asdfasdfasdf zaq12wsxcde3 zxcvbnm12345 abcdefghijkl abcdefghijklm abcdefg12345",
        "abc123abc123 abcd1234abcd a1b2c3d4e5f6 aabbccddeeff",
        "password1234 password12345 password123456 passwordpassword",
        "password2024 password2025 password2026 mypassword123",
        "passw0rd1234 p@ssw0rd1234 p@ssword1234 administrator",
        "administrador admin1234567 adminadminadmin admin123admin",
        "changeme1234 changeme12345 welcome12345 welcome123456 letmein12345 iloveyou1234 iloveyouforever",
        "contraseña12 contraseña123 contraseña1234 contrasena12",
        "contrasena123 contrasena1234 micontraseña micontrasena",
        "clave1234567 clave12345678 clave123clave miclave12345 hola12345678 holahola1234 bienvenido12 bienvenido123",
        "bienvenidos1 bienvenida12 chile1234567 chilechile12",
        "vivachile123 colocolo1991 colocolo1925 universidad1 santiago1234",
        "redsalud1234 redsalud12345 redsalud2024 redsalud2025",
        "redsalud2026 clinicaredsalud clínicaredsalud clinica12345",
        "hospital1234 enfermera123 enfermeria12 enfermería12",
        "tickethome12 tickethome123 ticket-home-1 ticket-home-demo",
    )
    for word in line.split()
)


def check_new_password(password: str, *, username: str, email: str, path: str = "new_password") -> None:
    """Raises Invalid for what is too short, common, or the user's own name; `path` is the refused field."""
    lowered = password.strip().casefold()
    if len(password) < SHORTEST:
        raise Invalid.field(path, "too_short", f"At least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Invalid.field(path, "too_long", f"At most {LONGEST} characters.")
    if lowered in COMMON or len(set(lowered)) < DISTINCT or is_single_sign_on(password):
        raise Invalid.field(path, "too_common", "One of the first that anybody would try.")
    if lowered in {username.casefold(), email.casefold(), email.partition("@")[0].casefold()}:
        raise Invalid.field(path, "is_username", "The same as the user name or the email.")
