import { isObject, type JsonObject, listOf } from '../request-body/fields.ts';

/** A picture that a chat names by its address. */
export interface RemoteImage {
  readonly url: string;
  /** As OpenAI's errors name fields. */
  readonly param: string;
}

/** All pictures of a chat that lie somewhere in the web, in order. */
export function remoteImages(body: JsonObject): readonly RemoteImage[] {
  return listOf(body['messages']).flatMap((message, number) => {
    const content = isObject(message) ? listOf(message['content']) : [];
    return content.flatMap((part, index) => imageOf(part, `messages[${number}].content[${index}].image_url`));
  });
}

function imageOf(part: unknown, param: string): RemoteImage[] {
  if (!isObject(part)) return [];
  const image = part['image_url'];
  const url = isObject(image) ? image['url'] : image;
  return typeof url === 'string' && /^https:\/\//i.test(url) ? [{ url, param }] : [];
}
