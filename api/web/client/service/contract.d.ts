/** Types of the API's requests and answers, by path and method, from the contract itself. */

import type { components, paths } from "#api";

export type Schemas = components["schemas"];
export type Method = "get" | "post" | "put" | "patch" | "delete";
/** Paths, as the contract writes them, that have the method. */
export type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];
export type WritePath = PathWith<"post"> | PathWith<"put"> | PathWith<"patch"> | PathWith<"delete">;

type Operation<P extends keyof paths, M extends Method> = paths[P][M & keyof paths[P]];
type Json<R> = R extends { content: { "application/json": infer Body } } ? Body : null;
type Good = 200 | 201 | 202 | 204;

export type AnswerOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? Json<R[Good & keyof R]> : never;
export type QueryOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : Record<string, never>;
export type ParamsOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: { path: infer X } } ? X : Record<string, never>;
type Sent<R> = R extends { content: { "application/octet-stream": unknown } } ? Blob : Json<R>;
export type BodyOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody?: infer R } ? Sent<NonNullable<R>> : undefined;
