import { invalidRequest } from '../../api/failure.ts';
import { PLAIN_REQUEST } from '../../api/model-request.ts';
import type { Endpoint } from '../../api/vendor-api.ts';
import { asText } from '../../json.ts';
import { MOST_TEXTS, wholeOnly } from '../vectors.ts';

const USUAL_MODEL = 'omni-moderation-latest';
const CATEGORIES = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'];

function each<Value>(value: Value): Record<string, Value> {
  return Object.fromEntries(CATEGORIES.map((name) => [name, value]));
}

/** Finds nothing wrong with anything. It costs no tokens. */
export const MODERATIONS: Endpoint = {
  kind: 'model',
  read: ({ model, input }) => {
    const inputs = Array.isArray(input) ? input : [input];
    if (input === undefined || inputs.length === 0) {
      return invalidRequest("Missing required parameter: 'input'.", 'input', 'missing_required_parameter');
    }
    if (inputs.length > MOST_TEXTS) return invalidRequest("Invalid 'input': too many items.", 'input');
    const results = inputs.map(() => ({ flagged: false, categories: each(false), category_scores: each(0.0001) }));
    return {
      request: {
        ...PLAIN_REQUEST,
        ...{ model: asText(model ?? USUAL_MODEL), n: 0, choiceCap: 0 },
        countPrompt: () => 0,
      },
      write: ({ id, model: answering }) => wholeOnly(() => ({ id: `modr-${id}`, model: answering, results })),
    };
  },
};
