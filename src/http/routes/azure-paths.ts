import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import { OPERATION_PATHS } from './operation-paths.ts';
import { operationServer } from './operations.ts';
import { pathOf, unknownUrl } from './route-table.ts';

/** What stands behind a deployment's name. */
const OF_DEPLOYMENTS = OPERATION_PATHS.filter(([operation]) =>
  ['chat', 'completions', 'embeddings'].includes(operation),
);

/** The paths that Azure's clients use: a deployment in the URL is a model here. Its `api-version` says nothing to us. */
export function azureRoutes(app: FastifyInstance, context: Context): void {
  const serve = operationServer(context);
  const options = { config: { hasBody: 'json' as const } };
  const named = context.services.providers.find(({ name }) => name === 'openai');
  const ofProvider = named ? { providerInPath: named.name } : {};

  // A name may hold slashes, written as they are or as %2F: what counts is how the path ends.
  app.post<{ Params: { '*': string } }>('/openai/deployments/*', options, (request, reply) => {
    const path = `/${request.params['*']}`;
    const found = OF_DEPLOYMENTS.find(([, end]) => path.endsWith(end));
    const modelInPath = found ? path.slice(1, -found[1].length) : '';
    if (!found || modelInPath === '') throw unknownUrl(request.method, pathOf(request.url));
    return serve({ operation: found[0], modelInPath }, request, reply);
  });

  app.post('/openai/responses', options, (request, reply) => {
    // Azure's clients always say a version; without one it is the provider of that name that is asked.
    const isAzure = /[?&]api-version=/.test(request.url);
    const providerInPath = isAzure ? {} : ofProvider;
    return serve({ operation: 'responses', modelInPath: null, ...providerInPath }, request, reply);
  });
}
