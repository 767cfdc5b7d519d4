import type { Operation } from '../../providers/wire.ts';
import { chatDoor } from './chat.ts';
import type { Door } from './door.ts';

const DOORS: ReadonlyMap<Operation, Door> = new Map([chatDoor].map((door) => [door.operation, door]));

/** The door of an operation. Routes exist only for operations that have one. */
export function doorOf(operation: Operation): Door {
  const door = DOORS.get(operation);
  if (!door) throw new Error(`nothing answers ${operation}`);
  return door;
}
