import type { Client, ClientReply, ClientRequest } from '../exchange.ts';
import type { RequestServices } from '../request-services.ts';
import type { ServedModel } from '../served-model.ts';
import type { RawPath } from './raw-path.ts';

/** A request for an endpoint that Sluice knows nothing of, as the HTTP layer hands it over. */
export interface RawRequest extends Pick<ClientRequest, 'id' | 'client' | 'receivedAt' | 'headers' | 'releaseBody'> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** The provider's configured name; null: whoever keeps what the path names. */
  readonly provider: string | null;
  readonly path: RawPath;
  /** As received; null: none, or released. */
  readonly body: Buffer | null;
}

export interface RawServices
  extends Omit<
    RequestServices,
    'models' | 'images' | 'hedging' | 'tokens' | 'calibration' | 'outputs' | 'rateHeaders'
  > {
  readonly rawRoutes: RawRouteLookup;
}

export interface RawRouteLookup {
  /**
   * What stands behind the raw paths of a provider, as a model of one target.
   * @param path for the client's own rules: `moderations`, `audio/speech`; null: it asks for what was made for it
   * @throws ProxyError `model_not_allowed`
   */
  findRaw(provider: string, path: string | null, client: Client): ServedModel;
}

/**
 * Answers one raw request through its reply.
 * @throws ProxyError before the head of the answer is decided
 */
export type RawHandler = (request: RawRequest, reply: ClientReply) => Promise<void>;
