import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BodyPieces } from '../../src/http/body-pieces.ts';

function collected(pieces: readonly Uint8Array[]): BodyPieces {
  const body = new BodyPieces();
  for (const piece of pieces) body.add(Buffer.from(piece));
  return body;
}

describe('a body in pieces', () => {
  test('is what was sent, however it was cut', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1_000, maxLength: 20_000 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const body = collected(pieces);
        const whole = Buffer.concat(pieces);
        expect(body.bytes).toBe(whole.length);
        expect(body.join().equals(whole)).toBe(true);
      }),
    );
  });

  test('that comes whole is not copied before it is joined', () => {
    expect(collected([Buffer.alloc(10)]).count).toBe(1);
  });

  // A request that waits would keep 64 KiB of a pool alive, whatever its size.
  test('shares its memory with nothing else, and is not copied where it does not', () => {
    for (const pieces of [[Buffer.from('a')], [Buffer.from('a'), Buffer.from('b')], []]) {
      const whole = collected(pieces).join();
      expect(whole.buffer.byteLength).toBe(whole.length);
    }
    const body = new BodyPieces();
    const alone = Buffer.allocUnsafeSlow(2_000);
    body.add(alone);
    expect(body.join()).toBe(alone);
  });

  // A chunk of one byte took 650 bytes of memory: half a megabyte of body filled half a gigabyte.
  test('is held by few objects, be they as small as can be', () => {
    expect(collected(Array.from({ length: 100_000 }, () => Buffer.from('x'))).count).toBeLessThan(10);
    const mixed = Array.from({ length: 1_000 }, (_, nth) => Buffer.alloc(nth % 2 === 0 ? 1 : 1_024));
    expect(collected(mixed).count).toBeLessThan(1_002);
  });
});
