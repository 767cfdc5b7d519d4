import { isFailure } from '../../api/failure.ts';
import type { Endpoint, Incoming } from '../../api/vendor-api.ts';
import type { Json } from '../../json.ts';
import { type ChatDialect, ChatWriter } from './chat-writer.ts';
import { readChat } from './read-chat.ts';

/** Chat completions in one vendor's manner. */
export function chatEndpoint(dialect: ChatDialect): Endpoint {
  return {
    kind: 'model',
    read: (body) => {
      const chat = readChat(body);
      if (isFailure(chat)) return chat;
      const { request, includesUsage } = chat;
      return { request, write: (answer) => new ChatWriter({ answer, includesUsage, dialect }) };
    },
  };
}

/**
 * The list of models, or one of them, as OpenAI tells of them; null where the path is another. `extra` is what a vendor says
 * of each beside.
 */
export function modelsEndpoint({ method, path }: Incoming, modelsPath: string, extra: Json = {}): Endpoint | null {
  if (method !== 'GET') return null;
  const asJson = (id: string, created: number) => ({
    ...{ id, object: 'model', created, owned_by: 'simulator' },
    ...extra,
  });
  if (path === modelsPath) {
    return {
      kind: 'plain',
      answer: ({ models, nowS }) => ({ json: { object: 'list', data: models.map((id) => asJson(id, nowS)) } }),
    };
  }
  if (!path.startsWith(`${modelsPath}/`)) return null;
  const model = decoded(path.slice(modelsPath.length + 1));
  return {
    kind: 'plain',
    answer: ({ models, nowS }) =>
      models.includes(model) ? { json: asJson(model, nowS) } : { kind: 'model_not_found', model },
  };
}

/** The token of `Authorization: Bearer`. */
export function bearerToken({ headers }: Incoming): string | null {
  return /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]?.trim() ?? null;
}

/** A part of a path as it was meant; one that is wrongly encoded stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
