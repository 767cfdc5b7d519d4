import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import type { Clock } from '../clock.ts';
import { publicAddresses } from './public-address.ts';

/** A picture as its server gave it. */
interface FetchedImage {
  /** `image/png` */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface ImageWishes {
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** Asked before so many more bytes are kept; false: there is no room, and the image fails. */
  mayHold(bytes: number): boolean;
}

/** Gets pictures from addresses that strangers have written. */
export interface ImageFetcher {
  /** @throws ImageFailure */
  fetch(url: string, wishes: ImageWishes): Promise<FetchedImage>;
  close(): Promise<void>;
}

/** Why there is no picture, in words for the client: nothing in them tells what lies behind an address. */
class ImageFailure extends Error {
  override readonly name = 'ImageFailure';
  readonly isForRoom: boolean;

  constructor(message: string, isForRoom = false) {
    super(message);
    this.isForRoom = isForRoom;
  }
}

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

interface ImageFetcherOptions {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly userAgent: string;
  /** The system's, unless a test brings its own. */
  readonly resolve?: Resolve;
  /** Which addresses may be connected to: those of the public internet. */
  readonly mayReach?: (address: string) => boolean;
  /** Certificates in PEM to trust instead of the system's. */
  readonly ca?: string;
}

const MAX_BYTES = 20 * 1024 * 1024;
const MAX_MS = 10_000;
const MEDIA_TYPE = /^\s*(image\/[a-z0-9.+-]{1,64})\s*(?:;|$)/i;

/**
 * Fetches over https only, without following redirects, without cookies, credentials or proxies. The address is looked at
 * after the name has been resolved, for each connection, by the lookup of the very socket: a name that changes its mind
 * between a check and a use has no gap to use.
 */
export function createImageFetcher(options: ImageFetcherOptions): ImageFetcher {
  const { clock, userAgent, resolve = lookup, mayReach = publicAddresses(), ca } = options;
  const agent = new Agent({
    allowH2: false,
    connect: { lookup: checked(resolve, mayReach), timeout: MAX_MS, ...(ca === undefined ? {} : { ca }) },
  });
  const load = async (url: URL, { signal, mayHold }: ImageWishes): Promise<FetchedImage> => {
    const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': userAgent };
    const answer = await request(url, { dispatcher: agent, headers, signal });
    try {
      const mediaType = mediaTypeOf(answer.statusCode, answer.headers);
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (bytes > MAX_BYTES) throw tooLarge();
        if (!mayHold(piece.length)) throw new ImageFailure('there is no room for it', true);
        pieces.push(piece);
      }
      return { mediaType, bytes: Buffer.concat(pieces) };
    } finally {
      answer.body.on('error', ignore).destroy();
    }
  };
  return {
    async fetch(address, wishes) {
      const url = readUrl(address, mayReach);
      const timeout = new AbortController();
      const cancel = clock.schedule(MAX_MS, () => timeout.abort());
      try {
        return await load(url, { ...wishes, signal: AbortSignal.any([wishes.signal, timeout.signal]) });
      } catch (error) {
        if (error instanceof ImageFailure) throw error;
        throw timeout.signal.aborted ? new ImageFailure('it did not come within 10 seconds') : unreachable();
      } finally {
        cancel();
      }
    },
    close: () => agent.destroy(),
  };
}

/** A socket asks no resolver about an address in the URL itself, so that one is looked at here. */
function readUrl(address: string, mayReach: (address: string) => boolean): URL {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:') throw new ImageFailure('its address is not a valid https URL');
  if (url.username !== '' || url.password !== '') throw new ImageFailure('its address holds credentials');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !mayReach(host)) throw unreachable();
  return url;
}

function checked(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first || addresses.some(({ address }) => !mayReach(address))) {
        callback(error ?? new Error('The name leads to no public address.'), []);
      } else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function mediaTypeOf(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): string {
  if (status !== 200) throw new ImageFailure(`its server answered ${status}`);
  const [, mediaType] = MEDIA_TYPE.exec(String(headers['content-type'] ?? '')) ?? [];
  const encoding = headers['content-encoding'] ?? 'identity';
  if (mediaType === undefined || encoding !== 'identity') throw new ImageFailure('its server sent no plain image');
  if (Number(headers['content-length'] ?? 0) > MAX_BYTES) throw tooLarge();
  return mediaType.toLowerCase();
}

function tooLarge(): ImageFailure {
  return new ImageFailure('it is larger than 20 MiB');
}

/** One sentence for all that may go wrong on the way: which it was would tell about networks that are nobody's business. */
function unreachable(): ImageFailure {
  return new ImageFailure('its server cannot be reached at a public address');
}

/** What befalls a body that nobody reads any more. */
function ignore(): void {}
