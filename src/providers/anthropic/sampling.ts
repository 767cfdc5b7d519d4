import type { Chat } from '../mapping/chat-request.ts';
import { numberAt, withoutNulls } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';

export interface Sampling {
  readonly fields: JsonObject;
  readonly dropped: readonly string[];
}

/** While it thinks, a model takes no other top_p than these. */
const LEAST_THINKING_TOP_P = 0.95;

/** How words are drawn. OpenAI's temperatures reach to 2, this vendor's to 1; the newest models take none at all. */
export function samplingOf(chat: Chat, { sampling }: ModelFacts, isThinking: boolean): Sampling {
  const asked = { temperature: chat.temperature, top_p: chat.topP, top_k: numberAt(chat.rest, 'top_k') };
  const temperature = asked.temperature === null ? null : Math.min(1, Math.max(0, asked.temperature));
  const isFixed = isThinking || sampling === 'none';
  const fields = {
    temperature: isFixed ? null : temperature,
    top_p: topPOf(asked.top_p, { sampling, isThinking, hasTemperature: temperature !== null }),
    top_k: isFixed ? null : asked.top_k,
  };
  return { fields: withoutNulls(fields), dropped: lostOf(asked, fields) };
}

interface TopPFacts {
  readonly sampling: ModelFacts['sampling'];
  readonly isThinking: boolean;
  readonly hasTemperature: boolean;
}

function topPOf(topP: number | null, { sampling, isThinking, hasTemperature }: TopPFacts): number | null {
  if (topP === null || sampling === 'none') return null;
  if (isThinking) return topP >= LEAST_THINKING_TOP_P ? topP : null;
  return sampling === 'one' && hasTemperature ? null : topP;
}

type Named = Readonly<Record<string, number | null>>;

/** A 1 asks for what happens anyway. */
function lostOf(asked: Named, fields: Named): string[] {
  return Object.keys(asked).filter((name) => asked[name] !== null && fields[name] === null && asked[name] !== 1);
}
