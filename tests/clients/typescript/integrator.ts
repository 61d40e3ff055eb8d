// What an integrator writes with the generated types: sign in, read the dashboard, create a ticket, handle problems.
// test_typescript_client.py has it type-checked and run; it prints what it saw as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Problem = components["schemas"]["Problem"];

const baseUrl = process.argv[2] ?? "http://127.0.0.1:8000";
const api = createClient<paths>({ baseUrl });

/** What a call answered; a problem is thrown with the code that says what it is. */
function answered<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error !== undefined) throw new Error(`${error.code}: ${error.detail}`);
  if (data === undefined) throw new Error("an empty answer");
  return data;
}

/** Of a call that must be refused. */
function refused({ error }: { error?: Problem }): Problem {
  if (error === undefined) throw new Error("it was not refused");
  return error;
}

const guess = await api.POST("/v1/auth/login", {
  body: { username: "admin_sant", password: "a guess", client: "mobile" },
});

const login = answered(
  await api.POST("/v1/auth/login", {
    body: { username: "admin_sant", password: "ticket-home-demo", client: "mobile" },
  }),
);
api.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${login.token}`);
    return request;
  },
});

const before = answered(await api.GET("/v1/dashboard"));

const surgery = answered(await api.GET("/v1/surgeries")).items[0];
if (surgery === undefined) throw new Error("no surgery");
const stay: components["schemas"]["TicketIn"] = {
  patient: { document_type: "rut", document: "12.345.678-5", first_name: "Ana", last_name: "Rojas" },
  surgery_id: surgery.id,
  surgery_at: new Date(Date.now() + 24 * 3600 * 1000).toISOString(),
};
const created = await api.POST("/v1/tickets", {
  params: { header: { "Idempotency-Key": "typescript-1" } },
  body: stay,
});
const ticket = answered(created);
const version = created.response.headers.get("Cache-Version") ?? "";

// The dashboard is cached: sent with it, the write's own version gives an answer that knows of the write.
const after = answered(await api.GET("/v1/dashboard", { headers: { "Cache-Version": version } }));

const invalid = refused(await api.POST("/v1/tickets", { body: { ...stay, surgery_id: 2147483647 } }));

const path = { ticket_id: ticket.id };
const etag = created.response.headers.get("ETag") ?? "";
const moved = answered(
  await api.PATCH("/v1/tickets/{ticket_id}", {
    params: { path, header: { "If-Match": etag } },
    body: { bed_number: "12B" },
  }),
);
const late = refused(
  await api.PATCH("/v1/tickets/{ticket_id}", {
    params: { path, header: { "If-Match": etag } },
    body: { bed_number: "14A" },
  }),
);

console.log(
  JSON.stringify({
    guess: [guess.response.status, refused(guess).code],
    user: login.user.username,
    tickets: [before.kpis.total, after.kpis.total],
    ticket: ticket.id,
    invalid: [invalid.status, invalid.code, ...(invalid.errors ?? []).map(({ path, code }) => [path, code])],
    moved: [moved.bed_number, moved.revision],
    late: [late.status, late.code, late.current?.["bed_number"]],
  }),
);
