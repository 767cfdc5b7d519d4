import type { Endpoint, Incoming, PlainFacts } from '../../api/vendor-api.ts';
import { asObject, type Json } from '../../json.ts';

interface Collection {
  readonly path: string;
  readonly idPrefix: string;
  readonly object: string;
  /** What a new one is like. */
  readonly status: string;
}

/** What can be stored and found again by id. Nothing is ever done with it. */
const COLLECTIONS: readonly Collection[] = [
  { path: '/v1/files', idPrefix: 'file-', object: 'file', status: 'processed' },
  { path: '/v1/batches', idPrefix: 'batch_', object: 'batch', status: 'validating' },
  { path: '/v1/fine_tuning/jobs', idPrefix: 'ftjob-', object: 'fine_tuning.job', status: 'queued' },
];

/** Files, batches and jobs of fine-tuning: made, listed, shown, cancelled, deleted. Each belongs to the key that made it. */
export function collectionEndpoint({ method, path }: Incoming): Endpoint | null {
  const collection = COLLECTIONS.find((each) => path === each.path || path.startsWith(`${each.path}/`));
  if (collection === undefined) return null;
  const [id = '', action] = path.slice(collection.path.length + 1).split('/', 2);
  const answer = id === '' ? ofAll(collection, method) : ofOne(collection, `${method} ${action ?? ''}`.trim(), id);
  return answer === null ? null : { kind: 'plain', takesAnyBody: true, answer };
}

type Answer = Extract<Endpoint, { readonly kind: 'plain' }>['answer'];

function ofAll(collection: Collection, method: string): Answer | null {
  if (method === 'POST') return (facts) => ({ json: created(collection, facts) });
  if (method !== 'GET') return null;
  return ({ stored }) => {
    const data = stored.all().filter((each) => asObject(each)['object'] === collection.object);
    return { json: { object: 'list', data, has_more: false } };
  };
}

function ofOne({ object }: Collection, operation: string, id: string): Answer | null {
  const known = (show: (item: Json, facts: PlainFacts) => object): Answer => {
    return (facts) => {
      const item = asObject(facts.stored.get(id));
      return item['object'] === object ? { json: show(item, facts) } : { kind: 'not_stored', id };
    };
  };
  switch (operation) {
    case 'GET':
    case 'GET content':
      return known((item) => item);
    case 'POST cancel':
      return known((item, { stored }) => {
        const cancelled = { ...item, status: 'cancelled' };
        stored.set(id, cancelled);
        return cancelled;
      });
    case 'DELETE':
      return known((_, { stored }) => {
        stored.delete(id);
        return { id, object, deleted: true };
      });
    default:
      return null;
  }
}

function created({ idPrefix, object, status }: Collection, { body, nowS, nextId, stored }: PlainFacts): Json {
  const item = { ...body, id: nextId(idPrefix), object, created_at: nowS, status };
  stored.set(item.id, item);
  return item;
}
