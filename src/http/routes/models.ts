import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ModelEntry } from '../../proxy/model-catalog.ts';
import { clientOf } from '../authenticate.ts';
import type { Context } from '../context.ts';
import { isOfAnthropic } from '../error-form.ts';
import { sendJson } from '../send-json.ts';

/**
 * `GET /v1/models` and `/v1/models/*`, in the form of the API that the client knows: names may contain slashes, plain or as
 * `%2F`.
 */
export function modelRoutes(app: FastifyInstance, { services }: Context): void {
  const list = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const models = services.listModels(clientOf(request));
    return sendJson(reply, isOfAnthropic(request) ? pageOf(models) : { object: 'list', data: models });
  };

  const one = (request: FastifyRequest<{ Params: { '*': string } }>, reply: FastifyReply): FastifyReply => {
    const model = services.findModel(clientOf(request), request.params['*']);
    return sendJson(reply, isOfAnthropic(request) ? infoOf(model) : model);
  };

  for (const prefix of ['/v1', '']) {
    app.get(`${prefix}/models`, list);
    app.get(`${prefix}/models/*`, one);
  }
}

/** All of them on one page of Anthropic's, whatever size was asked for. */
function pageOf(models: readonly ModelEntry[]): object {
  return {
    data: models.map(infoOf),
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  };
}

function infoOf({ id, created }: ModelEntry): object {
  return { type: 'model', id, display_name: id, created_at: new Date(created * 1000).toISOString() };
}
