"""What stands where a password should, and is none. Pure.

Single sign-on stores a word for accounts that it makes, and imports leave hashes behind that nobody can verify. Hashed
as passwords, either would let in whoever has read the source, or the table.
"""

import re
import unicodedata

SINGLE_SIGN_ON = frozenset({"iapuserplaceholder", "ssousernopassword"})
"""What the old application stores, folded: published with its source."""
WORDS = SINGLE_SIGN_ON | {
    *("iap", "iapuser", "sso", "ssouser", "ldap", "ldapuser", "saml", "samluser", "oauth", "oauthuser", "oidc"),
    *("google", "googleuser", "external", "externaluser", "disabled", "deleted", "locked", "unset", "empty"),
    *("none", "null", "nil", "na", "undefined", "todo", "changeme", "vacio", "ninguno", "ninguna", "nulo"),
}
WITHIN = ("placeholder", "nopassword", "notapassword", "unusable", "sinpassword", "sinclave", "sincontrasena")
METHODS = r"(?:scrypt|pbkdf2|argon2|bcrypt|md[45]|sha[0-9]|ssha|hmac|crypt|ntlm|lm|apr1|phpass)[a-z0-9_-]*"
HASHES = (
    # Werkzeug's and Django's, whole, cut off or with another digest: method, its parameters, salt, hash.
    re.compile(METHODS + r"(:[a-z0-9_]*)*\$.*", re.DOTALL),
    re.compile(r"(?:scrypt|pbkdf2)(:[a-z0-9]+)+"),
    re.compile(r"[a-z0-9_]+(:[a-z0-9]+)*\$[^$]*\$[0-9a-f]{32,}"),
    # crypt(3)'s.
    re.compile(r"\$(?:[0-9][a-z]?|gy|y|h|p|" + METHODS + r")\$.*", re.DOTALL),
    re.compile(r"\$[0-9a-z-]+\$.{20,}", re.DOTALL),
    # LDAP's, and bare ones in hexadecimal or base64.
    re.compile(r"\{(?:" + METHODS + r"|cleartext)\}.*", re.DOTALL),
    re.compile(r"(?:0x|\\x|\*)?[0-9a-f]{32,}"),
    re.compile(r"[a-z0-9+/_-]{22,}={1,2}"),
    # Django's for an account without one.
    re.compile(r"![a-z0-9]{40}"),
)


def is_single_sign_on(password: str) -> bool:
    """Whether it is one of the old application's words, in any case, with any blanks and signs between."""
    return _folded(password) in SINGLE_SIGN_ON


def is_placeholder(stored: str) -> bool:
    """Whether a stored text says that there is no password."""
    folded = _folded(stored)
    if not folded:
        return len(set(stored.split())) <= 1 and len(set(stored.strip())) <= 1
    return folded in WORDS or any(word in folded for word in WITHIN)


def looks_like_hash(stored: str) -> bool:
    """Whether it is, or once was, a hash of any kind, and not what somebody typed."""
    bare = re.sub(r"\Ab?(['\"])(.*)\1\Z", r"\2", stored.strip().lower(), flags=re.DOTALL).strip()
    return any(kind.fullmatch(one) for one in {bare, bare.lstrip("!*")} for kind in HASHES)


def _folded(written: str) -> str:
    plain = unicodedata.normalize("NFKD", written).casefold()
    return "".join(letter for letter in plain if letter.isalnum())
