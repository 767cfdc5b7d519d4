import { isObject, type JsonObject, listOf } from '../request-body/fields.ts';

/** A picture that a request names by its address. */
export interface RemoteImage {
  readonly url: string;
  /** As the request's own API names fields. */
  readonly param: string;
}

/** All pictures of a chat, or of a message in Anthropic's format, that lie somewhere in the web, in order. */
export function remoteImages(body: JsonObject): readonly RemoteImage[] {
  return listOf(body['messages']).flatMap((message, number) => imagesIn(message, `messages[${number}]`));
}

/** Content may hold the result of a tool, which has content of its own. */
function imagesIn(holder: unknown, path: string): readonly RemoteImage[] {
  const content = isObject(holder) ? listOf(holder['content']) : [];
  return content.flatMap((part, index) => {
    const place = `${path}.content[${index}]`;
    return [...imageOf(part, place), ...imagesIn(part, place)];
  });
}

function imageOf(part: unknown, place: string): RemoteImage[] {
  if (!isObject(part)) return [];
  const { image_url: image, source, type } = part;
  const url = isObject(image) ? image['url'] : image;
  if (isRemote(url)) return [{ url, param: `${place}.image_url` }];
  const sourceUrl = type === 'image' && isObject(source) ? source['url'] : null;
  return isRemote(sourceUrl) ? [{ url: sourceUrl, param: `${place}.source.url` }] : [];
}

function isRemote(url: unknown): url is string {
  return typeof url === 'string' && /^https:\/\//i.test(url);
}
