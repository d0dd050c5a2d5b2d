import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describePortOwner, listenerIn } from '../../../main/diagnostics/portOwner.ts';

async function listen(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('the owner of a port', () => {
  it('is named with its number and its name', async () => {
    const { port } = await listen('127.0.0.1');
    expect(await describePortOwner(port)).toMatch(new RegExp(`^process ${process.pid} \\(.+\\)$`));
  });

  it('is null once the port is free again', async () => {
    const { server, port } = await listen('127.0.0.1');
    server.close();
    await once(server, 'close');
    expect(await describePortOwner(port)).toBeNull();
  });

  it('is null for a number that is no port', async () => {
    expect(await describePortOwner(99_999)).toBeNull();
  });
});

describe("what Windows' netstat prints", () => {
  // As printed by netstat -ano in English and in German.
  const lines = (listening: string): string =>
    [
      '  TCP    127.0.0.1:15431        0.0.0.0:0              LISTENING       111',
      '  TCP    127.0.0.1:50211        127.0.0.1:5431         ESTABLISHED     222',
      `  TCP    127.0.0.1:5431         127.0.0.1:50211        ESTABLISHED     333`,
      `  TCP    127.0.0.1:5431         0.0.0.0:0              ${listening}       4242`,
      `  TCP    [::1]:5999             [::]:0                 ${listening}       77`,
      '  UDP    0.0.0.0:5432           *:*                                    999',
    ].join('\r\n');

  it.each(['LISTENING', 'ABHÖREN', 'EN ÉCOUTE'])('names the listener in any language: %s', (word) => {
    expect(listenerIn(lines(word), 5431)).toBe('4242');
    expect(listenerIn(lines(word), 5999)).toBe('77');
    expect(listenerIn(lines(word), 50211)).toBeNull();
    expect(listenerIn(lines(word), 5432)).toBeNull();
  });

  it('tells the two loopback addresses apart', () => {
    const both =
      '  TCP    127.0.0.1:5431         0.0.0.0:0              LISTENING       4242\r\n' +
      '  TCP    [::1]:5431             [::]:0                 LISTENING       77\r\n' +
      '  TCP    [::]:5999              [::]:0                 LISTENING       78\r\n' +
      '  TCP    0.0.0.0:6000           0.0.0.0:0              LISTENING       79\r\n';
    expect([listenerIn(both, 5431, '127.0.0.1'), listenerIn(both, 5431, '::1')]).toEqual(['4242', '77']);
    expect([listenerIn(both, 5999, '127.0.0.1'), listenerIn(both, 5999, '::1')]).toEqual([null, '78']);
    expect([listenerIn(both, 6000, '127.0.0.1'), listenerIn(both, 6000, '::1')]).toEqual(['79', null]);
  });

  it('is null where no process is listed (Wine)', () => {
    expect(
      listenerIn('  TCP    127.0.0.1:5431         0.0.0.0:0              LISTENING\r\n', 5431),
    ).toBeNull();
  });
});
