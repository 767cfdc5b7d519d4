import { errorEvent } from '../../streaming/relay.ts';
import { readEvent } from '../../streaming/stream-facts.ts';
import { CHAT_NAMES, chatFacts } from '../request-body/chat-facts.ts';
import { listOf } from '../request-body/fields.ts';
import type { Door } from './door.ts';

export const chatDoor: Door = {
  operation: 'chat',
  body: { names: CHAT_NAMES, facts: chatFacts },
  generates: true,
  input: 'messages',
  measure: (chat) => ({ chat, knownTokens: 0 }),
  turns: (body) => ({ instructions: null, messages: listOf(body['messages']) }),
  grammar: readEvent,
  errorEvent,
};
