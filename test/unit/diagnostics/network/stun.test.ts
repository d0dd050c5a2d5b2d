// The STUN packets against the test vectors of RFC 5769, and against arbitrary bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindingRequest, readStunAnswer } from '../../../../main/diagnostics/network/stun.ts';

/** RFC 5769, 2.2: an answer over IPv4; its mapped address is 192.0.2.1, port 32853. */
const ANSWER_IPV4 = Buffer.from(
  `0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147
   e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`.replace(/\s/g, ''),
  'hex',
);
const TRANSACTION = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');

describe('a binding request', () => {
  it('is the 20 bytes of RFC 5389: type 1, no attributes, the cookie, the transaction', () => {
    expect(bindingRequest(TRANSACTION).toString('hex')).toBe('000100002112a442b7e7a701bc34d686fa87dfae');
  });
});

describe('an answer', () => {
  it('is read as in RFC 5769', () => {
    expect(readStunAnswer(ANSWER_IPV4, TRANSACTION)).toEqual({ kind: 'success', mapped: '192.0.2.1:32853' });
  });

  it('to another request is none', () => {
    expect(readStunAnswer(ANSWER_IPV4, Buffer.alloc(12))).toBeNull();
  });

  it('that is cut off, or a request sent back, is none', () => {
    for (let length = 0; length < ANSWER_IPV4.length; length += 1)
      expect(readStunAnswer(ANSWER_IPV4.subarray(0, length), TRANSACTION)).toBeNull();
    expect(readStunAnswer(bindingRequest(TRANSACTION), TRANSACTION)).toBeNull();
  });

  it('of any bytes never throws, and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (body, isError) => {
        const header = Buffer.concat([Buffer.from(isError ? '0111' : '0101', 'hex'), Buffer.alloc(2)]);
        header.writeUInt16BE(body.length, 2);
        const cookie = Buffer.from('2112a442', 'hex');
        const packet = Buffer.concat([header, cookie, TRANSACTION, body]);
        expect(readStunAnswer(packet, TRANSACTION)?.kind).toBe(isError ? 'error' : 'success');
      }),
    );
  });
});
