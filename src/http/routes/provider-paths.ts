import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { OPERATION_PATHS } from './operation-paths.ts';
import { operationServer, routeOptions } from './operations.ts';

/** `/{provider}/v1/...`: the endpoints that models answer, where the client has chosen who serves it. */
export function providerRoutes(app: FastifyInstance, context: Context): void {
  const serve = operationServer(context);
  for (const { name } of context.services.providers) {
    for (const [operation, path] of OPERATION_PATHS) {
      for (const url of [`${providerPath(name)}/v1${path}`, `${providerPath(name)}${path}`]) {
        // A provider may be called what a path of Sluice's own begins with; that one goes first.
        if (app.hasRoute({ method: 'POST', url })) continue;
        app.post(url, routeOptions(operation), (request, reply) =>
          serve({ operation, modelInPath: null, providerInPath: name }, request, reply),
        );
      }
    }
  }
}

/** A name may hold a colon, which begins a parameter in Fastify's paths unless it is doubled. */
export function providerPath(name: string): string {
  return `/${name.replaceAll(':', '::')}`;
}
