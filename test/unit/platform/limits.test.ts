import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hostOf, quoted, quotedCode, wholeAnswer, withoutEcho } from '../../../main/platform/limits.ts';

describe('what a server said', () => {
  it('is one line of 200 characters at most', () => {
    expect(quoted('short')).toBe('short');
    expect(quoted('two\r\nlines\u0000\u2028and\u202emore')).toBe('two lines and more');
    expect(quoted('word '.repeat(1000))).toHaveLength(200);
    expect(quoted('x'.repeat(100_000)).length).toBeLessThanOrEqual(200);
  });

  it('has no secret in it, not even where it is cut', () => {
    const token = `IQoJ${'a1B2'.repeat(1000)}`;
    for (const before of ['', 'x'.repeat(150), 'y '.repeat(2000), 'z '.repeat(2040)])
      expect(quoted(`${before}${token}`)).not.toContain('a1B2a1B2');
    expect(quoted('Authorization: Bearer abcdefghij')).not.toContain('abcdefghij');
  });

  it('has a code that is a name', () => {
    expect(quotedCode('KMS.DisabledException')).toBe('KMS.DisabledException');
    for (const code of ['', 'two words', 'x'.repeat(65), 'line\nbreak'])
      expect(quotedCode(code)).toBe('UnknownCode');
  });

  it('is read up to a limit, and the rest is never asked for', async () => {
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc((given += 1000) && 1000);
      })(),
    );
    await expect(wholeAnswer(endless, 5000)).rejects.toThrow('more than 5000 bytes');
    expect(endless.destroyed).toBe(true);
    expect(given).toBeLessThan(30_000);
    expect(await wholeAnswer(Readable.from([Buffer.from('a'), Buffer.from('b')]), 2)).toEqual(
      Buffer.from('ab'),
    );
  });

  it('has nothing of what it was sent', () => {
    const answer = Buffer.from('you sent secret-token-1, ü');
    expect(withoutEcho(answer, ['secret-token-1']).toString()).toBe('you sent [left-out], ü');
  });
});

describe('the address of a server', () => {
  it('is told without what may be secret in it', () => {
    expect(hostOf('https://user:password@broker.example:8443/secret/path?key=secret#x')).toBe(
      'broker.example:8443',
    );
    expect(hostOf('nonsense')).toBe('no valid address');
  });
});
