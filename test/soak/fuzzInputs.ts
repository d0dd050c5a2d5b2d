// What the fuzz run sends, each from a seeded generator.
import { agent } from '../rig/recorder.ts';
import type { Dice } from './common.ts';

/** Sent where a token belongs; no log may hold it. */
export const SECRET = 'fuzz-Zk3vQ9sT7wX1yB5nM8pL2cR6hJ4gD0aE';

const ALLOWED = 'http://localhost:3000';

export function randomPath(dice: Dice): string {
  return dice.pick([
    ...['/v1/health', '/v1', '/', '/v1/control/retry', '/v2', '//', '/v1/health/../health'],
    ...[`/v1/health?token=${SECRET}`, `/${'a'.repeat(Math.floor(dice.between(1, 6000)))}`],
  ]);
}

export function randomHeaders(dice: Dice, port: number): Record<string, string> {
  const host = [`127.0.0.1:${port}`, `localhost:${port}`, 'evil.example', `127.0.0.1:${port + 1}`];
  const origin = [
    ALLOWED,
    'null',
    'https://evil.example',
    'x'.repeat(500),
    'http://localhost:3000\\@evil.example',
  ];
  return {
    Host: dice.pick(host),
    ...(dice.next() < 0.8 ? { Origin: dice.pick(origin) } : {}),
    ...(dice.next() < 0.3 ? { Authorization: `Bearer ${SECRET}` } : {}),
    ...(dice.next() < 0.2 ? { 'X-Long': 'y'.repeat(Math.floor(dice.between(1, 20_000))) } : {}),
  };
}

/** A request or an upgrade that is right, before it is mutated. */
export function attackText(dice: Dice, port: number): string {
  const head = `Host: 127.0.0.1:${port}\r\nOrigin: ${ALLOWED}\r\n`;
  const upgrade =
    `GET /v1 HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  return dice.pick([
    upgrade,
    upgrade.replace('13', String(Math.floor(dice.between(0, 99)))),
    upgrade.replace('websocket', 'h2c'),
    `GET /v1/health HTTP/1.1\r\n${head}\r\n`,
    `POST /v1/control/retry HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\nabc`,
    `POST /v1/control/retry HTTP/1.1\r\n${head}Content-Length: 99999999\r\n\r\n{}`,
  ]);
}

/** A few bytes changed, cut off, doubled, or left as they are. */
export function mutate(dice: Dice, bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  switch (dice.pick(['as it is', 'changed', 'cut', 'doubled'] as const)) {
    case 'as it is':
      return out;
    case 'changed':
      for (let count = dice.between(1, 8); count > 0; count -= 1)
        out[Math.floor(dice.next() * out.length)] = Math.floor(dice.next() * 256);
      return out;
    case 'cut':
      return out.subarray(0, Math.floor(dice.next() * out.length));
    case 'doubled':
      return Buffer.concat([out, out]);
  }
}

/** A message of the protocol with wrong values, wrong types and missing fields; its contact is none of the honest page's. */
export function randomFrame(dice: Dice): string | Buffer {
  const anything = (): unknown =>
    dice.pick<unknown>([
      null,
      0,
      -1,
      1e308,
      '',
      'fuzz',
      'x'.repeat(3000),
      [],
      {},
      { a: [[[]]] },
      true,
      '\u0000',
      '\ud800',
    ]);
  const type = dice.pick([
    ...['hello', 'contact.start', 'contact.stop', 'contact.resume', 'status', 'ping'],
    ...['', 'constructor', '__proto__', 'contact.delete'],
  ]);
  const fields: Record<string, unknown> = {
    id: 'f',
    type,
    protocol: 1,
    ...agent,
    channel: 'VOICE',
    token: SECRET,
  };
  fields['contactId'] = dice.pick(['fuzz-none', '../../etc', 'a'.repeat(200), '']);
  // What is right would be carried out: something is always wrong with a start.
  for (const name of type === 'contact.start' ? ['channel'] : [dice.pick(Object.keys(fields))])
    fields[name] = anything();
  const text = JSON.stringify(fields);
  if (dice.next() < 0.2) return mutate(dice, Buffer.from(text));
  return dice.next() < 0.1 ? text.slice(0, Math.floor(dice.next() * text.length)) : text;
}

/** RFC 6455, 5.2, with any opcode, any reserved bits, and lengths that are not so. */
export function rawFrame(dice: Dice): Buffer {
  const payload = Buffer.from('x'.repeat(Math.floor(dice.between(0, 125))));
  const first = Math.floor(dice.next() * 256);
  const length = dice.next() < 0.7 ? payload.length : dice.pick([126, 127, 0]);
  const masked = dice.next() < 0.8;
  const mask = masked ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0);
  return mutate(dice, Buffer.concat([Buffer.from([first, (masked ? 0x80 : 0) | length]), mask, payload]));
}
