import type { z } from 'zod';
import type { RouteAccess } from '../http/feature.js';

/** What is sent or answered: JSON of a schema, or something else by its media type. */
export interface Content {
  readonly description: string;
  /** Default `application/json` where there is a schema. */
  readonly type?: string;
  readonly schema?: z.ZodType;
  /** Another media type of the same answer. */
  readonly alsoType?: string;
  /** Name under which the schema stands once in the document. */
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation of the HTTP API as the OpenAPI document tells it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options';
  /** As in OpenAPI: `/v1/streams/{id}`. */
  readonly path: string;
  /** Unique; names of functions are made from it. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: RouteAccess;
  /** Query parameters by name. */
  readonly query?: z.ZodObject;
  readonly body?: Content;
  /** By status. Every operation can also be refused with 401, 403 and 429. */
  readonly answers: Readonly<Record<number, Content>>;
  /** Statuses that come with an error body, besides those of every operation. */
  readonly errors?: readonly number[];
}
