import type { FastifyRequest } from 'fastify';
import type { ErrorBody } from '../errors.ts';
import { type MessagesErrorBody, messagesErrorBody } from '../proxy/doors/messages/error-body.ts';

/** The APIs whose clients call here, by how they want to be told what went wrong. */
export type ErrorForm = 'openai' | 'anthropic';

/** The form of a request's errors: its route's, or, where that has none or there is no route, its client's. */
function errorFormOf(request: FastifyRequest): ErrorForm {
  return request.routeOptions.config?.errorForm ?? (isOfAnthropic(request) ? 'anthropic' : 'openai');
}

/** Clients of that API say in every request which version of it they know. */
export function isOfAnthropic({ headers }: FastifyRequest): boolean {
  return headers['anthropic-version'] !== undefined;
}

/** The id of a request, under the names that its client's SDK looks for it. */
export function idHeaders(request: FastifyRequest): Readonly<Record<string, string>> {
  const { id } = request;
  return errorFormOf(request) === 'anthropic' ? { 'x-request-id': id, 'request-id': id } : { 'x-request-id': id };
}

/** An error in the form that the request's client understands. */
export function formedError(request: FastifyRequest, body: ErrorBody, status: number): ErrorBody | MessagesErrorBody {
  return errorFormOf(request) === 'anthropic' ? messagesErrorBody(body, status, request.id) : body;
}
