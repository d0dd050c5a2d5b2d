// The client and its contacts in Firefox, against the real recorder: from this machine, and from a company's https page, which a
// proxy of the test's own serves.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection, ContactState } from '../../ccp/src/contract.ts';
import { startTlsFront } from '../rig/companyProxy.ts';
import { startFirefox, whyNoFirefox, type Firefox } from '../rig/firefox.ts';
import { orLeftOut } from '../rig/leftOut.ts';
import { makeAuthority } from '../rig/networkHosts.ts';
import { record, useBench } from './bench.ts';

const bench = useBench();

describe.skipIf(whyNoFirefox !== null)(orLeftOut('a page in Firefox', whyNoFirefox), () => {
  let firefox: Firefox;
  beforeAll(async () => {
    firefox = await startFirefox();
    console.log(`Firefox ${firefox.version}`);
  });
  afterAll(() => firefox.stop());

  const connection = () => firefox.tab.evaluate<Connection>('client.connection');
  const contact = async () => (await firefox.tab.evaluate<ContactState[]>('contacts.contacts'))[0];
  const untilContact = (state: ContactState['state'] | undefined) =>
    expect.poll(async () => (await contact())?.state, { timeout: 30_000 }).toBe(state);

  it('sees that nothing runs, connects, records, suspends across a reload, resumes and stops', async () => {
    const recorder = await bench.recorder();
    await bench.kill();
    const url = `${bench.server.origin}/client.html?port=${recorder.port}`;
    await firefox.tab.goto(url);
    await expect.poll(connection, { timeout: 20_000 }).toMatchObject({ kind: 'not-running' });
    await bench.recorder();
    await expect.poll(connection, { timeout: 30_000 }).toMatchObject({ kind: 'connected' });
    await firefox.tab.evaluate('contacts.record({ contactId: "call-1", channel: "VOICE" })');
    await untilContact('recording');
    await expect.poll(() => bench.running.events()).toHaveLength(1);
    const [event] = await bench.running.events();
    expect(event?.detail.clientInfo.browser).toBe(`Firefox ${firefox.version.split('.')[0]!}`);
    await firefox.tab.evaluate('contacts.suspend("call-1", "form:#card")');
    await untilContact('suspended');
    await bench.desk.showSensitive(true);
    await firefox.tab.goto(url);
    await untilContact('suspended');
    await firefox.tab.evaluate('contacts.record({ contactId: "call-1", channel: "VOICE" })');
    await record();
    expect(await contact()).toMatchObject({ state: 'suspended', causes: ['form:#card'] });
    await bench.desk.showSensitive(false);
    await firefox.tab.evaluate('contacts.resume("call-1", "form:#card")');
    await untilContact('recording');
    await record();
    await firefox.tab.evaluate('contacts.stop("call-1")');
    await untilContact(undefined);
    const { leaked, reasons } = await bench.published();
    expect(leaked).toBe(0);
    expect(reasons).toEqual(['suspended']);
  });

  describe('of a company', () => {
    const domain = 'acme.my.connect.aws';
    const closers: (() => unknown)[] = [];
    let proxyPort: number;
    let frontPort: number;
    beforeAll(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sightline-firefox-'));
      const identity = await (await makeAuthority(folder, 'Sightline')).issue(domain);
      await rm(folder, { recursive: true });
      const front = await startTlsFront(identity, bench.server.port);
      frontPort = front.port;
      const proxy = createServer().on('connect', ({ url = '' }, socket) => {
        socket.on('error', () => socket.destroy());
        // Whatever else Firefox asks for goes nowhere.
        if (url !== `${domain}:443`) {
          socket.destroy();
          return;
        }
        const page = connect(front.port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          socket.pipe(page).pipe(socket);
        });
        page.on('error', () => socket.destroy());
      });
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      proxyPort = (proxy.address() as AddressInfo).port;
      closers.push(
        () => front.stop(),
        () => proxy.close(),
      );
    });
    afterAll(async () => {
      for (const close of closers) await close();
    });

    it('may open a websocket without TLS to this machine', async () => {
      const { port } = await bench.recorder({ flags: ['--allowed-domains', domain] });
      const other = await startFirefox({ proxyPort });
      try {
        await other.tab.goto(`https://${domain}/client.html?port=${port}`);
        await expect
          .poll(() => other.tab.evaluate<Connection>('client.connection'), { timeout: 20_000 })
          .toMatchObject({ kind: 'connected' });
      } finally {
        await other.stop();
      }
    });

    it('says that the browser asks, where Firefox restricts local network access', async () => {
      const { port } = await bench.recorder({ flags: ['--allowed-domains', domain] });
      const preferences = {
        'network.lna.enabled': true,
        'network.lna.blocking': true,
        // A public page, on this machine.
        'network.lna.address_space.public.override': `127.0.0.1:${frontPort}`,
        'network.dns.localDomains': domain,
        'network.proxy.no_proxies_on': `127.0.0.1, ${domain}`,
      };
      const other = await startFirefox({ preferences });
      try {
        await other.tab.goto(`https://${domain}:${frontPort}/client.html?port=${port}`);
        await expect
          .poll(() => other.tab.evaluate<Connection>('client.connection'), { timeout: 20_000 })
          .toEqual({ kind: 'blocked', permission: 'prompt' });
      } finally {
        await other.stop();
      }
    });
  });
});
