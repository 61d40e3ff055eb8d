r"""Who is who: text in the form in which it is compared, and one identified patient for a document.

`folded_text` is core/text.py's `folded`, `document_identity` the normal form by which a patient is found, null for what
identifies nobody. A patient is *identified* where `verified`; then `document` is that normal form, and the constraint
(clinic, type, document) says that there is one of them. The others (`RN`, a RUT that fails its check, a second row of
one document) keep what was typed: in `document` where nobody else's stands there, else in `document_typed`, with
`document` made different by the row's id (`RN #4711`).

So the constraint stays as it was: the release before this one goes on writing by `ON CONFLICT (clinic_id,
document_type, document)`, shows `RN #4711` where this one shows `RN`, and finds who is identified. The trigger holds
its writes to the same rules. What it writes of a passport in a spelling of its own, though that passport is on file,
is a second, unverified row, as it was before.

Rows that this makes equal are not joined: the one that was used last stays identified, and the doctor lists the others.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SPACES = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
INVISIBLE = (
    r"\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    r"\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff\ue000-\uf8ff\U000f0000-\U0010ffff\ufdd0-\ufdef\ufffe\uffff"
)
ACCENTS = r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
APOSTROPHES = (
    r"\u0027\u0060\u00b4\u02b9-\u02bf\u02c8\u02ca\u02cb\u0374\u0384\u055a\u05f3\u07f4\u07f5\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"
    r"\u2018-\u201b\u2032\u2035\ua78b\ua78c\uff07\uff40"
)
DASHES = r"\u002d\u058a\u05be\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"

# Of the scripts that have digits of their own, what zero is; nine follow it.
ZEROS = (
    *(0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20),
    *(0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0),
    *(0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450),
    *(0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50),
    *(0x1E140, 0x1E2F0, 0x1E950),
)
DIGITS = "".join(chr(zero + digit) for zero in ZEROS for digit in range(10))

FOLDED = rf"""
CREATE FUNCTION folded_text(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain text;
BEGIN
    IF written ~ '^[a-zA-Z0-9]+( [a-zA-Z0-9]+)*$' THEN
        RETURN lower(written);
    END IF;
    -- Before the accents: an acute accent that stands alone is an apostrophe.
    plain := regexp_replace(regexp_replace(written, '[{INVISIBLE}]+', '', 'g'), '[{APOSTROPHES}]', '''', 'g');
    plain := regexp_replace(normalize(plain, NFKD), '[{ACCENTS}]+', '', 'g');
    plain := regexp_replace(regexp_replace(plain, '[{APOSTROPHES}]', '''', 'g'), '[{DASHES}]', '-', 'g');
    plain := replace(lower(plain), U&'\03c2', U&'\03c3');
    plain := regexp_replace(plain, '[{INVISIBLE}]+', '', 'g');
    RETURN normalize(btrim(regexp_replace(plain, '[{SPACES}]+', ' ', 'g'), ' '), NFC);
END $$
"""

IDENTITY = rf"""
CREATE FUNCTION document_identity(kind text, typed text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain text := CASE WHEN octet_length(typed) = length(typed) THEN typed
        ELSE translate(typed, '{DIGITS}', repeat('0123456789', {len(ZEROS)})) END;
    letters text := regexp_replace(public.folded_text(plain), '[^[:alnum:]]+', '', 'g');
    written text;
    found text[];
    total integer := 0;
    factor integer := 2;
BEGIN
    IF kind = 'rut' THEN
        letters := ltrim(letters, '0');
    END IF;
    IF letters IN ('', 'rn', 'nn', 'sn', 'sr', 'sinrut', 'sindocumento', 'reciennacido') THEN
        RETURN NULL;
    END IF;
    IF letters ~ '^[0-9]' AND replace(letters, left(letters, 1), '') = '' THEN
        RETURN NULL;  -- 11.111.111-1
    END IF;
    IF kind <> 'rut' THEN
        written := upper(normalize(regexp_replace(plain, '[{INVISIBLE}]+', '', 'g'), NFKC));
        written := regexp_replace(written, '[^[:alnum:]]+', '', 'g');
        -- What is longer in its normal form than there is room for is refused by the code, and identifies nobody here.
        RETURN CASE WHEN length(written) BETWEEN 1 AND 40 THEN written END;
    END IF;
    written := regexp_replace(typed, '[{INVISIBLE}]+', '', 'g');
    written := regexp_replace(regexp_replace(written, '[{SPACES}.]+', '', 'g'), '[{DASHES}]', '-', 'g');
    found := regexp_match(upper(written), '^0*([1-9][0-9]{{4,9}})-?([0-9K])$');
    IF found IS NULL THEN
        RETURN NULL;
    END IF;
    FOR place IN REVERSE length(found[1])..1 LOOP
        total := total + factor * substr(found[1], place, 1)::integer;
        factor := CASE factor WHEN 7 THEN 2 ELSE factor + 1 END;
    END LOOP;
    IF substr('0123456789K', mod(11 - mod(total, 11), 11) + 1, 1) <> found[2] THEN
        RETURN NULL;
    END IF;
    RETURN found[1] || '-' || found[2];
END $$
"""

KEPT = """
CREATE FUNCTION patient_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    typed text := NEW.document;
    identity text;
    different text := ' #' || NEW.id;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.document_type, NEW.document, NEW.first_name, NEW.middle_name, NEW.last_name, NEW.second_last_name,
            NEW.age, NEW.sex) IS DISTINCT FROM
           (OLD.document_type, OLD.document, OLD.first_name, OLD.middle_name, OLD.last_name, OLD.second_last_name,
            OLD.age, OLD.sex) THEN
            NEW.revision := OLD.revision + 1;
        END IF;
        IF (NEW.document_type, NEW.document, NEW.verified) = (OLD.document_type, OLD.document, OLD.verified) THEN
            NEW.document_typed := OLD.document_typed;
            RETURN NEW;
        END IF;
        IF NEW.document = OLD.document THEN
            typed := coalesce(OLD.document_typed, OLD.document);
        END IF;
    END IF;
    identity := public.document_identity(NEW.document_type, typed);
    -- Of a spelling that this release never writes, the one before it must not be told of a duplicate it cannot handle.
    IF identity IS NULL OR (NEW.verified AND identity <> typed AND EXISTS (
        SELECT FROM public.patient p
        WHERE p.clinic_id = NEW.clinic_id AND p.document_type = NEW.document_type AND p.document = identity
            AND p.id <> NEW.id
    )) THEN
        NEW.verified := false;
    END IF;
    NEW.document_typed := NULL;
    IF NEW.verified THEN
        NEW.document := identity;
        RETURN NEW;
    END IF;
    NEW.document := typed;
    -- Nobody waits for an import that brings such rows too; and it holds few locks, however many rows it brings.
    IF typed = identity
        OR NOT pg_try_advisory_xact_lock(7630702, hashtext(NEW.clinic_id || NEW.document_type || typed) & 63)
        OR EXISTS (
            SELECT FROM public.patient p
            WHERE p.clinic_id = NEW.clinic_id AND p.document_type = NEW.document_type AND p.document = typed
                AND p.id <> NEW.id
        )
    THEN
        NEW.document_typed := typed;
        NEW.document := left(typed, 40 - length(different)) || different;
    END IF;
    RETURN NEW;
END $$
"""

TRIGGER = (
    "CREATE TRIGGER patient_kept BEFORE INSERT OR UPDATE ON patient FOR EACH ROW EXECUTE FUNCTION public.patient_kept()"
)

# RUTs of five digits and of nine were refused by their length and imported as unverified: they are identified now.
RANKED = """
WITH named AS (
    SELECT id, clinic_id, document_type, document, verified, document_identity(document_type, document) AS identity
    FROM patient WHERE verified OR document_type = 'rut'
), ranked AS (
    SELECT n.*, row_number() OVER (
        PARTITION BY clinic_id, document_type, identity
        ORDER BY (SELECT max(t.created_at) FROM ticket t WHERE t.patient_id = n.id) DESC NULLS LAST, id DESC
    ) AS place
    FROM named n WHERE identity IS NOT NULL
)
"""
NOBODYS = "UPDATE patient SET verified = false WHERE verified AND document_identity(document_type, document) IS NULL"
# Out of the way of the one that is identified.
TWINS = RANKED + (
    "UPDATE patient SET verified = false, document_typed = patient.document,"
    " document = left(patient.document, 39 - length('#' || patient.id)) || ' #' || patient.id"
    " FROM ranked r WHERE r.id = patient.id AND r.place > 1 AND (r.verified OR r.document = r.identity)"
)
IDENTIFIED = RANKED + (
    "UPDATE patient SET verified = true, document = r.identity FROM ranked r"
    " WHERE r.id = patient.id AND r.place = 1 AND (NOT r.verified OR r.document <> r.identity)"
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(FOLDED)
    op.execute(IDENTITY)
    op.add_column("patient", sa.Column("document_typed", sa.String(40), nullable=True))
    op.add_column("patient", sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.execute(NOBODYS)
    op.execute(TWINS)
    op.execute(IDENTIFIED)
    op.execute(KEPT)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TRIGGER patient_kept ON patient")
    op.drop_column("patient", "revision")
    op.drop_column("patient", "document_typed")
    op.execute("DROP FUNCTION patient_kept(), document_identity(text, text), folded_text(text)")
