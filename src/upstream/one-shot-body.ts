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
