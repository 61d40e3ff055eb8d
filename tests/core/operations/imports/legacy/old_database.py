"""A database of the old application, made by a test: its tables as SQLAlchemy's defaults had them."""

from typing import Any

import asyncpg

from tests.factories import rows
from tests.support.servers.databases import administer, database_named

SCHEMA = """
CREATE TABLE clinic (id serial PRIMARY KEY, name varchar(200), is_active boolean);
CREATE TABLE "user" (
    id serial PRIMARY KEY, username varchar(120) UNIQUE, email varchar(320) UNIQUE, password varchar(300),
    role varchar(20), is_active boolean, created_at timestamp, clinic_id integer REFERENCES clinic (id)
);
CREATE TABLE superuser (id serial PRIMARY KEY, email varchar(320));
CREATE TABLE specialty (
    id serial PRIMARY KEY, name varchar(200), is_active boolean, clinic_id integer REFERENCES clinic (id)
);
CREATE TABLE surgery (
    id serial PRIMARY KEY, name varchar(300), base_stay_hours integer,
    specialty_id integer REFERENCES specialty (id), is_active boolean, applies_ticket_home boolean,
    is_ambulatory boolean, ambulatory_cutoff_hour integer, clinic_id integer REFERENCES clinic (id)
);
CREATE TABLE doctor (
    id serial PRIMARY KEY, name varchar(200), specialty varchar(200), rut varchar(20), is_active boolean,
    created_at timestamp, clinic_id integer REFERENCES clinic (id)
);
CREATE TABLE standardized_reason (
    id serial PRIMARY KEY, reason varchar(600), category varchar(50), is_active boolean,
    clinic_id integer REFERENCES clinic (id)
);
CREATE TABLE patient (
    id serial PRIMARY KEY, rut varchar(60), primer_nombre varchar(100), segundo_nombre varchar(100),
    apellido_paterno varchar(100), apellido_materno varchar(100), age integer, sex varchar(20),
    episode_id varchar(60), clinic_id integer REFERENCES clinic (id)
);
CREATE TABLE ticket (
    id varchar(50) PRIMARY KEY, patient_id integer REFERENCES patient (id), surgery_id integer REFERENCES surgery (id),
    doctor_id integer REFERENCES doctor (id), clinic_id integer REFERENCES clinic (id), pavilion_end_time timestamp,
    medical_discharge_date timestamp, system_calculated_fpa timestamp, initial_fpa timestamp, current_fpa timestamp,
    overnight_stays integer, original_overnight_stays integer, original_fpa_date timestamp, bed_number varchar(50),
    location varchar(100), status varchar(20), created_at timestamp, created_by varchar(120), annulled_at timestamp,
    annulled_reason text, annulled_by varchar(120), initial_reason varchar(600), initial_justification text,
    surgery_name_snapshot varchar(300), surgery_base_hours_snapshot integer
);
CREATE TABLE fpa_modification (
    id serial PRIMARY KEY, ticket_id varchar(50) REFERENCES ticket (id), clinic_id integer REFERENCES clinic (id),
    previous_fpa timestamp, new_fpa timestamp, reason text, justification text, modified_at timestamp,
    modified_by varchar(120)
);
CREATE TABLE login_audit (
    id serial PRIMARY KEY, user_id integer REFERENCES "user" (id), username varchar(120),
    clinic_id integer REFERENCES clinic (id), "timestamp" timestamp, ip_address varchar(60)
);
CREATE TABLE action_audit (
    id serial PRIMARY KEY, user_id integer REFERENCES "user" (id), username varchar(120),
    clinic_id integer REFERENCES clinic (id), "timestamp" timestamp, action varchar(100), target_id varchar(80),
    target_type varchar(50)
);
CREATE TABLE urgency_threshold (
    id serial PRIMARY KEY, clinic_id integer REFERENCES clinic (id), green_threshold_hours integer,
    yellow_threshold_hours integer, red_threshold_hours integer, created_at timestamp, updated_at timestamp,
    updated_by varchar(120)
);
"""

CHECKSUM = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
SCRYPT = (
    "scrypt:32768:8:1$pyMfKdIqwYxw0GOT$6d49052bdf9cffb2288d7cb198d7bed5566f284932dad0c74b3948866b1468220afd93e9aa17069c"
    "4a2403d33747e5e71981c3c552d751a0e249642b6641bac5"
)
PBKDF2 = "pbkdf2:sha256:1000$HKZup3TnwPQcAOCj$75ec07ade5fe726229d616ff0a3a5bb62eddaf6ac80754877e9ce9f695072add"
"""Hashes as the old application has them, of my-test-password-123 and of contraseña 1."""


async def make_old_database(server: str, name: str) -> None:
    """An empty one on the server."""
    await administer(server, f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(database_named(server, name))
    try:
        await connection.execute(SCHEMA)
    finally:
        await connection.close()


async def add(connection: rows.Connection, table: str, **values: Any) -> Any:
    """One row; its id."""
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    return await connection.fetchval(
        f'INSERT INTO "{table}" ({columns}) VALUES ({places}) RETURNING id', *values.values()
    )


KEPT_COUNTS = ("rolled_clinic", "rollup_change", "ticket_rollup", "doctor_rollup", "flow_rollup")
"""Which are merged whenever somebody finds the time, and say the same before and after."""


async def checksums(connection: rows.Connection) -> dict[str, str]:
    """Of every table of a database that says what no other says."""
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname <> ALL($1) ORDER BY relname",
        KEPT_COUNTS,
    )
    return {
        row["relname"]: await connection.fetchval(CHECKSUM.format(table=f'public."{row["relname"]}"')) for row in tables
    }
