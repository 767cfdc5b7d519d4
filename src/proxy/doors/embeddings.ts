import { errorEvent } from '../../streaming/relay.ts';
import { readEvent } from '../../streaming/stream-facts.ts';
import { type JsonObject, readModel, readUser } from '../request-body/fields.ts';
import type { RequestFacts } from '../request-body.ts';
import type { Door } from './door.ts';
import { measureInputs, readTokenInputs } from './token-inputs.ts';

const NAMES: ReadonlySet<string> = new Set(['model', 'input', 'user', 'encoding_format']);

/** Vectors for texts: answered whole, and nothing of the answer is counted as output. */
export const embeddingsDoor: Door = {
  operation: 'embeddings',
  body: { names: NAMES, facts },
  generates: false,
  input: 'input',
  measure: (body) => measureInputs(readTokenInputs(body, 'input')),
  grammar: readEvent,
  errorEvent,
};

function facts(body: JsonObject): RequestFacts {
  readTokenInputs(body, 'input');
  return {
    model: readModel(body['model']),
    isStreaming: false,
    wantsUsage: false,
    outputCapTokens: 0,
    n: 1,
    needs: [],
    user: readUser(body),
    wantsBase64: body['encoding_format'] === 'base64',
  };
}
