import type { Lease } from '../../scheduler/lease.ts';
import { FirstEventTimes } from './first-event-times.ts';

/**
 * How long first events take at each upstream model; whole answers take as long as all of their output, so they are
 * measured apart. There are only so many models.
 */
export class HeardTimes {
  readonly #times = new Map<string, FirstEventTimes>();

  of({ route, ticket }: Lease): FirstEventTimes {
    const { provider, model } = route.upstream;
    const name = `${ticket.request.isStreamed ? 'stream' : 'whole'} ${provider} ${model}`;
    const known = this.#times.get(name) ?? new FirstEventTimes();
    this.#times.set(name, known);
    return known;
  }
}
