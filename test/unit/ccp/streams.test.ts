// The bridge's pure functions: when a contact is recorded, which contacts, what a flow wants, and what goes to the recorder. The
// bridge itself is tested with the real library in real Chromium (test/ccp).
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { channelOf, instanceOf, isInSample } from '../../../ccp/src/contactFacts.ts';
import { askedByFlow, attribute, decide, queue, sample } from '../../../ccp/src/streams/choice.ts';
import { aliasOf, infoOf } from '../../../ccp/src/streams/details.ts';
import { FLOW_STATES, flowOpinion } from '../../../ccp/src/streams/flowState.ts';
import type { StreamsContact, StreamsFeatures } from '../../../ccp/src/streams/library.ts';
import { phaseOf } from '../../../ccp/src/streams/phase.ts';
import { parseFrame } from '../../../main/shared/protocol.ts';

interface Given {
  contactId?: string;
  initialContactId?: string;
  type?: string;
  queue?: string | null;
  attributes?: Record<string, string>;
  features?: StreamsFeatures;
}

/** The reads of a contact, without its events. */
function contact(given: Given = {}): StreamsContact {
  const attributes = Object.fromEntries(
    Object.entries(given.attributes ?? {}).map(([name, value]) => [name, { name, value }]),
  );
  const { contactId = 'c-1', type = 'voice' } = given;
  const reads: Partial<StreamsContact> = {
    getContactId: () => contactId,
    getInitialContactId: () => given.initialContactId ?? null,
    getType: () => type,
    getQueue: () => (given.queue === null ? undefined : { name: given.queue ?? 'Billing' }),
    getAttributes: () => attributes,
    getContactFeatures: () => given.features,
  };
  return reads as StreamsContact;
}

describe('the phase of a contact', () => {
  const phase = (type: string, state: string, accepted = false, initiationMethod = 'inbound') =>
    phaseOf({ type, state, accepted, initiationMethod });

  it.each(['voice', 'chat', 'task'])('of a %s that rings begins with the acceptance', (type) => {
    expect(phase(type, 'connecting')).toBe('before');
    expect(phase(type, 'connecting', true)).toBe('active');
    expect(phase(type, 'connected')).toBe('active');
  });

  it('of a call that the agent dials begins with dialing', () => {
    expect(phase('voice', 'connecting', false, 'outbound')).toBe('active');
    expect(phase('voice', 'connecting', false, 'external_outbound')).toBe('active');
  });

  it('of a callback begins when it is accepted, that is when its customer is dialed', () => {
    expect(phase('queue_callback', 'incoming', false, 'callback')).toBe('before');
    expect(phase('queue_callback', 'incoming', true, 'callback')).toBe('active');
    expect(phase('queue_callback', 'connecting', false, 'callback')).toBe('active');
  });

  it('of a callback that dialed the customer first begins with the acceptance', () => {
    expect(phase('queue_callback', 'connecting', false, 'callback_customer_first_dialed')).toBe('before');
    expect(phase('queue_callback', 'connecting', true, 'callback_customer_first_dialed')).toBe('active');
  });

  it.each(['missed', 'rejected', 'error'])('is over when it is %s, also after the acceptance', (state) => {
    expect(phase('voice', state, true)).toBe('over');
  });

  it('says nothing in a state that it does not know', () => {
    expect(phase('voice', 'pending', true)).toBe('unchanged');
    expect(phase('voice', 'something new', true)).toBe('unchanged');
  });
});

describe('the choice of contacts', () => {
  it('by default is what the flow asked for, in either place of the features', () => {
    expect(askedByFlow(contact())).toBeUndefined();
    expect(askedByFlow(contact({ features: { screenRecordingEnabled: true } }))).toBe(true);
    const config = { screenRecordingConfig: { screenRecordingEnabled: false } };
    expect(askedByFlow(contact({ features: { screenRecordingEnabled: true, ...config } }))).toBe(false);
  });

  it('by queue', () => {
    expect(decide(queue('Billing', 'Claims'), contact({ queue: 'Claims' }))).toBe(true);
    expect(decide(queue('Billing'), contact({ queue: 'Claims' }))).toBe(false);
    expect(decide(queue('Billing'), contact({ queue: null }))).toBe(false);
  });

  it('by attribute is open until the contact has it', () => {
    const choose = attribute('record', 'yes');
    expect(decide(choose, contact())).toBeUndefined();
    expect(decide(choose, contact({ attributes: { record: 'no' } }))).toBe(false);
    expect(decide(choose, contact({ attributes: { record: 'yes' } }))).toBe(true);
    expect(decide(attribute('constructor', 'x'), contact())).toBeUndefined();
  });

  it('by sample takes about the share, and the same contacts each time', () => {
    const ids = Array.from({ length: 20_000 }, () => randomUUID());
    for (const percent of [1, 10, 50, 99]) {
      const share = (ids.filter((id) => isInSample(id, percent)).length / ids.length) * 100;
      expect(Math.abs(share - percent)).toBeLessThan(2);
    }
    const chosen = (percent: number) =>
      ids.map((contactId) => decide(sample(percent), contact({ contactId })));
    expect(chosen(10)).toEqual(chosen(10));
    expect(chosen(0).some(Boolean)).toBe(false);
    expect(chosen(100).every(Boolean)).toBe(true);
    // A larger sample has all of a smaller one.
    expect(ids.filter((id) => isInSample(id, 10) && !isInSample(id, 20))).toEqual([]);
  });

  it('by sample is spread evenly over ids that differ in one digit', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `contact-${index}`);
    const share = ids.filter((id) => isInSample(id, 25)).length / 10;
    expect(Math.abs(share - 25)).toBeLessThan(5);
  });
});

describe('the state that a flow sets', () => {
  const opinion = (features?: StreamsFeatures) => flowOpinion(features, FLOW_STATES);

  it('is none where there is no value', () => {
    expect(opinion()).toEqual({ kind: 'none' });
    expect(opinion({ screenRecordingState: null, screenRecordingConfig: null })).toEqual({ kind: 'none' });
    expect(opinion({ screenRecordingState: '' })).toEqual({ kind: 'none' });
  });

  it('is read in both places, in any case, and a suspension wins', () => {
    expect(opinion({ screenRecordingState: 'Suspended' })).toEqual({ kind: 'suspended' });
    expect(opinion({ screenRecordingConfig: { screenRecordingState: 'suspended' } })).toEqual({
      kind: 'suspended',
    });
    const recording = { screenRecordingConfig: { screenRecordingState: 'ACTIVE' } };
    expect(opinion(recording)).toEqual({ kind: 'recording' });
    expect(opinion({ ...recording, screenRecordingState: 'SUSPENDED' })).toEqual({ kind: 'suspended' });
    expect(opinion({ ...recording, screenRecordingState: 'WHATEVER' })).toEqual({
      kind: 'unknown',
      value: 'WHATEVER',
    });
  });

  it('is unknown for other values, cut to what may be logged', () => {
    expect(opinion({ screenRecordingState: 'x'.repeat(5000) })).toEqual({
      kind: 'unknown',
      value: 'x'.repeat(100),
    });
    expect(opinion({ screenRecordingState: 7 as unknown as string })).toEqual({
      kind: 'unknown',
      value: 'number',
    });
  });
});

describe('what goes to the recorder', () => {
  const instance = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555';

  it('names the instance by the agent’s ARN', () => {
    expect(instanceOf(`${instance}/agent/99999999-8888-7777-6666-555555555555`)).toBe(instance);
  });

  it.each([
    ['https://acme.my.connect.aws/ccp-v2/', 'acme'],
    ['https://acme.awsapps.com/connect/ccp-v2/', 'acme'],
    ['https://acme.my.connect.aws.evil.example/ccp-v2/', undefined],
    ['https://ccp.example.com/', undefined],
    ['not a URL', undefined],
  ])('takes the alias from %s', (url, alias) => expect(aliasOf(url)).toBe(alias));

  it.each([
    ['voice', 'VOICE'],
    ['queue_callback', 'VOICE'],
    ['chat', 'CHAT'],
    ['task', 'TASK'],
    ['email', undefined],
    ['fax', undefined],
  ])('has a channel for %s', (type, channel) => expect(channelOf(type)).toBe(channel));

  it('passes on attributes of the list only, and always what the protocol accepts', () => {
    const names = [
      'tier',
      'long',
      'missing',
      '__proto__',
      'n'.repeat(300),
      ...Array.from({ length: 80 }, (_, i) => `a${i}`),
    ];
    const attributes = Object.fromEntries(
      [...names, 'secret'].map((name) => [name, name === 'long' ? 'x'.repeat(5000) : '1']),
    );
    delete attributes.missing;
    const info = infoOf(
      contact({ queue: 'q'.repeat(3000), initialContactId: 'not an id', attributes }),
      'VOICE',
      names,
    );
    expect(info).not.toHaveProperty('initialContactId');
    expect(info.attributes).not.toHaveProperty('secret');
    expect(info.attributes?.tier).toBe('1');
    expect(parseFrame(JSON.stringify({ id: '1', type: 'contact.start', ...info }))).toMatchObject({
      ok: true,
    });
  });

  it('carries the first contact of a chain', () => {
    expect(infoOf(contact({ initialContactId: 'first' }), 'VOICE', [])).toMatchObject({
      initialContactId: 'first',
    });
  });
});
