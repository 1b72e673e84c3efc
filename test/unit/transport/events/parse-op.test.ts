/** The parser of client frames against arbitrary bytes and values. */
import { Encoder } from 'cbor-x';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientOps } from '../../../../src/core/control.js';
import { parseOp } from '../../../../src/transport/events/control-handler.js';
import { decodeCbor } from '../../../../src/transport/events/delivery/frames.js';

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true });
const parseJson = (data: Buffer): unknown => JSON.parse(data.toString()) as unknown;
const OPS = Object.keys(clientOps);

/** Requests that are nearly valid, so that the cases reach the schemas and their error texts. */
const nearlyOps = fc.dictionary(
  fc.constantFrom('op', 'id', 'streams', 'from', 'seconds', 'labels', 'constructor', '__proto__'),
  fc.oneof(
    fc.constantFrom(...OPS, 'constructor', '__proto__', 'toString'),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
  ),
);

function answers(data: Buffer, decode: (data: Buffer) => unknown): void {
  expect([...OPS, 'error']).toContain(parseOp(data, decode).op);
}

describe('a frame of a client', () => {
  it('of random bytes is answered in either format', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        answers(Buffer.from(bytes), decodeCbor);
        answers(Buffer.from(bytes), parseJson);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any JSON value is answered', () => {
    fc.assert(
      fc.property(fc.json(), (text) => answers(Buffer.from(text), parseJson)),
      { numRuns: 1000 },
    );
  });

  it('of any CBOR value is answered', () => {
    fc.assert(
      fc.property(nearlyOps, (value) => {
        let bytes: Buffer;
        try {
          bytes = cbor.encode(value);
        } catch {
          return; // the encoder of this test cannot express the value
        }
        answers(bytes, decodeCbor);
      }),
      { numRuns: 1000 },
    );
  });

  it('with the largest 64-bit integer as operation is answered with its value', () => {
    const answer = parseOp(Buffer.from('a1626f701bffffffffffffffff', 'hex'), decodeCbor);
    expect(answer).toMatchObject({ op: 'error', code: 'bad_request' });
    expect(answer).toHaveProperty('message', expect.stringContaining('18446744073709551615'));
  });

  it('with a cyclic value is answered', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['op'] = cyclic;
    expect(parseOp(Buffer.alloc(0), () => cyclic)).toMatchObject({ op: 'error', code: 'bad_request' });
  });
});
