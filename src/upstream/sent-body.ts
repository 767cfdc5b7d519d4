/** From this size on a body is handed over piecewise, so that it is freed once sent. */
export const ONE_SHOT_BYTES = 16 * 1024;

/**
 * A body that can be read once and is forgotten while it is read. undici keeps a Buffer until the answer ends; a stream of
 * minutes would hold the whole prompt.
 */
export function oneShotBody(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  let held: Uint8Array | null = bytes;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const value = held;
        held = null;
        return Promise.resolve(value ? { done: false, value } : { done: true, value: undefined });
      },
    }),
  };
}

/**
 * A body that undici keeps as long as the answer lasts, with nothing else in its memory: small buffers are pieces of 64 KiB,
 * all of which would live as long as a stream.
 */
export function aloneInMemory(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer.byteLength === bytes.byteLength) return bytes;
  const alone = Buffer.allocUnsafeSlow(bytes.byteLength);
  alone.set(bytes);
  return alone;
}
