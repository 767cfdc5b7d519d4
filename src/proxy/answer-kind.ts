import type { Clock } from '../clock.ts';
import type { Provider } from '../providers/provider.ts';
import type { AnswerTranslator, TranslationContext, Wire } from '../providers/wire.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import type { AnswerParts, AnswerReader } from './answer-reader.ts';
import type { Door } from './doors/door.ts';
import { JsonAnswer } from './json-answer.ts';
import { RefusedAnswer } from './refused-answer.ts';
import type { RequestFacts } from './request-body.ts';
import type { ServedTarget } from './served-model.ts';
import type { TargetSize } from './size-request.ts';
import { StreamAnswer } from './stream-answer.ts';
import { TranslatedAnswer } from './translated-answer.ts';

/** What was asked of a model, as far as it says how the answer is to be read. */
export interface AnswerKind {
  readonly clock: Clock;
  readonly target: ServedTarget;
  readonly size: TargetSize;
  readonly door: Pick<Door, 'grammar'>;
  readonly wire: Pick<Wire, 'translator'>;
  readonly facts: Pick<RequestFacts, 'isStreaming' | 'wantsUsage' | 'wantsBase64' | 'wantsThinking'>;
}

/** The reader of a success: whole or streamed as it was asked for, in the operation's format or translated into it. */
export function answerReader(kind: AnswerKind, common: AnswerParts): AnswerReader {
  const { isStreaming } = kind.facts;
  if (isStreaming !== isEventStream(common.headers)) {
    const asked = isStreaming ? 'a stream' : 'a whole answer';
    return new RefusedAnswer({ ...common, suspicion: `the upstream was asked for ${asked} and sent something else` });
  }
  const translator = kind.wire.translator?.(contextOf(kind)) ?? null;
  return isStreaming ? streamReader(kind, common, translator) : new JsonAnswer({ ...common, translator });
}

function contextOf({ clock, target, size, facts }: AnswerKind): TranslationContext {
  const createdS = Math.floor(clock.wallNow() / 1000);
  const { wantsBase64 = false, wantsThinking = false } = facts;
  return { model: target.model, createdS, inputTokens: size.inputTokens, wantsBase64, wantsThinking };
}

function streamReader(
  { door, facts }: AnswerKind,
  common: AnswerParts,
  translator: AnswerTranslator | null,
): AnswerReader {
  const inner = new StreamAnswer({ ...common, isUsageWanted: facts.wantsUsage, grammar: door.grammar });
  if (translator === null) return inner;
  const readUsage: Provider['readUsage'] = (json, known) => common.provider.readUsage(json, known);
  return new TranslatedAnswer({ inner, translator, readUsage });
}

function isEventStream(headers: UpstreamHeaders): boolean {
  return /^\s*text\/event-stream\b/i.test(String(headers['content-type'] ?? ''));
}
