import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describePortOwner } from '../../../main/platform/portOwner.ts';

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

  it('is nobody once the port is free again', async () => {
    const { server, port } = await listen('127.0.0.1');
    server.close();
    await once(server, 'close');
    expect(await describePortOwner(port)).toBeNull();
  });

  it('is nobody for a number that is no port', async () => {
    expect(await describePortOwner(99_999)).toBeNull();
  });
});
