import { ProxyError } from '../../errors.ts';
import type { Operation } from '../../providers/wire.ts';
import type { JsonObject } from '../request-body/fields.ts';
import type { ServedModel, ServedTarget } from '../served-model.ts';
import { type RemoteImage, remoteImages } from './remote-images.ts';
import { replaceUrls } from './replace-urls.ts';

/** Gets pictures by their addresses, with all the caution that this takes. */
export interface ImageSource {
  /** Throws an `Error` whose message is for the client; with `isForRoom: true` where `mayHold` has refused. */
  fetch(url: string, wishes: ImageWishes): Promise<{ readonly mediaType: string; readonly bytes: Buffer }>;
}

interface ImageWishes {
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** Asked before so many more bytes are kept. */
  mayHold(bytes: number): boolean;
}

export interface ImageRequest {
  readonly bytes: Buffer;
  readonly signal: AbortSignal;
  /** Asks the byte budget for so many bytes in all. */
  holds(bytes: number): boolean;
}

/** Operations whose pictures may be addresses, at a vendor that opens none. */
const WITH_IMAGES: readonly Operation[] = ['chat', 'messages'];

const AT_ONCE = 4;
/** Distinct ones in one request. */
const MOST_IMAGES = 50;
/** A picture is held as it came and, a third longer, as text. */
const BYTES_HELD_PER_BYTE = 7 / 3;

/**
 * The pictures that have to be fetched, because a target wants them inside the request and its provider allows it. Anthropic's
 * own servers take no `data:` URL for an address, so where one of them may be asked, its addresses stay.
 */
export function imagesToFetch(model: ServedModel, operation: Operation, parsed: JsonObject): readonly RemoteImage[] {
  const fetching = model.targets.filter(({ fetchesImages }) => fetchesImages);
  if (!WITH_IMAGES.includes(operation) || fetching.length === 0) return [];
  return remoteImages(parsed).filter((image) => {
    const isWanted = fetching.some((target) => wantsInline(target, operation, image.url));
    return isWanted && (operation === 'chat' || mustBeInline(model, operation, image));
  });
}

/** Whether nobody could do with the address instead. */
export function mustBeInline({ targets }: ServedModel, operation: Operation, { url }: RemoteImage): boolean {
  return targets.every((target) => !target.wires[operation] || wantsInline(target, operation, url));
}

function wantsInline({ wires }: ServedTarget, operation: Operation, url: string): boolean {
  return wires[operation]?.wantsInline?.(url) ?? false;
}

/**
 * The body with the pictures in it instead of their addresses. One that can't be had stays an address where `isNeeded` says
 * that somebody could do with that.
 * @throws ProxyError `invalid_image_url`, `server_busy`
 */
export async function inlineImages(
  images: readonly RemoteImage[],
  request: ImageRequest,
  { source, isNeeded }: { readonly source: ImageSource; readonly isNeeded: (image: RemoteImage) => boolean },
): Promise<Buffer> {
  const distinct = new Map(images.map((image) => [image.url, image]));
  if (distinct.size > MOST_IMAGES) throw tooMany(images[MOST_IMAGES] as RemoteImage);
  const aborter = new AbortController();
  const wishes: ImageWishes = { signal: AbortSignal.any([request.signal, aborter.signal]), mayHold: room(request) };
  const waiting = [...distinct.values()];
  const found = new Map<string, string>();
  const work = async (): Promise<void> => {
    for (let image = waiting.shift(); image; image = waiting.shift()) {
      const { url } = image;
      try {
        const { mediaType, bytes } = await source.fetch(url, wishes);
        found.set(url, `data:${mediaType};base64,${bytes.toString('base64')}`);
      } catch (error) {
        if (isNeeded(image) || isForRoom(error)) throw failed(image, error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    aborter.abort();
  }
  return replaceUrls(request.bytes, found);
}

function room({ bytes, holds }: ImageRequest): (more: number) => boolean {
  let total = 0;
  return (more) => {
    total += more;
    return holds(bytes.length + Math.ceil(total * BYTES_HELD_PER_BYTE));
  };
}

function isForRoom(error: unknown): boolean {
  return error instanceof Error && 'isForRoom' in error && error.isForRoom === true;
}

function failed({ param }: RemoteImage, error: unknown): ProxyError {
  if (isForRoom(error)) {
    return new ProxyError(
      'server_busy',
      'The server has no room for the images of this request. Try again in a moment.',
    );
  }
  const why = error instanceof Error ? error.message : 'it could not be fetched';
  return new ProxyError('invalid_image_url', `The image cannot be used: ${why}. Send it as a data: URL instead.`, {
    param,
  });
}

function tooMany({ param }: RemoteImage): ProxyError {
  const message = `More than ${MOST_IMAGES} images would have to be fetched. Send them as data: URLs instead.`;
  return new ProxyError('invalid_image_url', message, { param });
}
