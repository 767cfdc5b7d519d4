import type { Operation, Wire } from '../providers/wire.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { Conversation } from './affinity/affinity.ts';
import type { HeldBody } from './held-body.ts';
import type { RequestFacts } from './request-body.ts';
import type { Step } from './request-record.ts';
import type { ServedModel } from './served-model.ts';
import type { TargetSize } from './size-request.ts';

/** A request that has been read: what it takes to wait and to send. Its bytes are in `held` alone. */
export interface Order extends Prepared {
  /** Whether it waits for what is out of service. */
  readonly isPatient: boolean;
}

/** As its model needs it. */
export interface Prepared {
  readonly facts: RequestFacts;
  readonly held: HeldBody;
  readonly conversation: Conversation;
  readonly model: ServedModel;
  /** By target. */
  readonly sizes: readonly (TargetSize | null)[];
  readonly find: FindModel;
  /** The upstream keeps nothing of it, so sending it twice does no harm. */
  readonly canBeHedged: boolean;
}

/**
 * The model that serves a request, as the configuration is by now: the same object if nothing has changed.
 * @throws ProxyError there is none any more
 */
export type FindModel = () => ServedModel;

/** A route of an attempt, and how it is asked. */
export interface Sending extends Step {
  /** Of the operation that was asked for. */
  readonly wire: Wire;
}

/** Null: a lease was granted for what cannot be sent, which is a bug. */
export function sendingOn({ model, sizes }: Order, { option, route }: Lease, operation: Operation): Sending | null {
  const target = model.targets[option.target];
  const size = sizes[option.target];
  const endpoint = model.endpoints.get(route);
  const wire = target?.wires[operation];
  return target && size && endpoint && wire ? { target, size, endpoint, wire } : null;
}
