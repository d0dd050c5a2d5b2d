// The client and its contacts in Firefox, against the real recorder.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection, ContactState } from '../../ccp/src/contract.ts';
import { startFirefox, whyNoFirefox, type Firefox } from '../rig/firefox.ts';
import { orLeftOut } from '../rig/leftOut.ts';
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
});
