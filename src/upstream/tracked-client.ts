import { Client, type Dispatcher } from 'undici';
import { Opening } from './opening.ts';
import { UndiciCall } from './undici-call.ts';

type ClientOptions = Omit<Client.Options, 'connect'> & { readonly connect: NonNullable<Client.Options['connect']> };

/** One connection that tells each call where it is being opened, so that the call can end while still connecting. */
export class TrackedClient extends Client {
  readonly #opening: Opening;

  /** `options.connect` is a function: a pool has made its connector before it makes clients. */
  constructor(origin: URL, options: ClientOptions) {
    const { connect } = options;
    if (typeof connect !== 'function') throw new TypeError('A tracked client needs a ready connector.');
    const opening = new Opening(connect);
    super(origin, { ...options, connect: opening.connect });
    this.#opening = opening;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof UndiciCall) handler.opensThrough(this.#opening);
    return super.dispatch(options, handler);
  }
}
