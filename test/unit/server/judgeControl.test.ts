// One test for each who is not the command line of this user, as far as headers can show it.
import { describe, expect, it } from 'vitest';
import { judgeControl } from '../../../main/server/guard.ts';

const PORT = 5431;
const TOKEN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP-';
const right = { host: `127.0.0.1:${PORT}`, authorization: `Bearer ${TOKEN}` };

type Headers = Parameters<typeof judgeControl>[0];
const judge = (headers: Headers) => judgeControl(headers, PORT, TOKEN);

describe('the command line of this user', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]'])('gets in at %s', (name) => {
    expect(judge({ ...right, host: `${name}:${PORT}` })).toEqual({ allowed: true });
  });

  it('gets in however it spells the scheme (RFC 9110, 11.1)', () => {
    expect(judge({ ...right, authorization: `bearer ${TOKEN}` })).toEqual({ allowed: true });
  });
});

describe('DNS rebinding', () => {
  it.each([undefined, 'attacker.example', `attacker.example:${PORT}`, '127.0.0.1', '127.0.0.1:5432'])(
    'is kept out by Host %s, even with the token',
    (host) => {
      expect(judge({ ...right, host })).toMatchObject({ allowed: false, status: 403 });
    },
  );
});

describe('a page', () => {
  it.each(['https://acme.my.connect.aws', `http://127.0.0.1:${PORT}`, 'http://localhost:3000', 'null', ''])(
    'is kept out by its Origin %j, even with the token',
    (origin) => {
      expect(judge({ ...right, origin })).toMatchObject({ allowed: false, status: 403 });
    },
  );

  it('gets the same answer whether its token is right or not', () => {
    const origin = 'https://acme.my.connect.aws';
    expect(judge({ ...right, origin, authorization: 'Bearer x' })).toEqual(judge({ ...right, origin }));
  });
});

describe('a program that cannot read control.json', () => {
  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN}A`,
    `Bearer ${TOKEN} `,
    `Bearer  ${TOKEN}`,
    `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    `Bearer ${TOKEN.toLowerCase()}`,
    `Bearer ${'A'.repeat(TOKEN.length)}`,
    `Bearer ${'A'.repeat(100_000)}`,
  ])('is kept out with %j', (authorization) => {
    expect(judge({ ...right, authorization })).toMatchObject({ allowed: false, status: 401 });
  });

  it('is named in no reason that the log would keep', () => {
    for (const headers of [
      { ...right, authorization: 'Bearer guess' },
      { ...right, origin: 'guess' },
      { ...right, host: 'guess' },
    ]) {
      expect(JSON.stringify(judge(headers))).not.toMatch(new RegExp(`guess|${TOKEN}`));
    }
  });
});
