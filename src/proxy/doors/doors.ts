import type { Operation } from '../../providers/wire.ts';
import { chatDoor } from './chat.ts';
import { completionsDoor } from './completions.ts';
import type { Door } from './door.ts';
import { embeddingsDoor } from './embeddings.ts';
import { countTokensDoor, messagesDoor } from './messages/messages.ts';
import { responsesDoor } from './responses.ts';

const DOORS: ReadonlyMap<Operation, Door> = new Map(
  [chatDoor, completionsDoor, embeddingsDoor, responsesDoor, messagesDoor, countTokensDoor].map((door) => [
    door.operation,
    door,
  ]),
);

/** The door of an operation. Routes exist only for operations that have one. */
export function doorOf(operation: Operation): Door {
  const door = DOORS.get(operation);
  if (!door) throw new Error(`nothing answers ${operation}`);
  return door;
}
