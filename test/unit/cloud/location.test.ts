// The location of a recording on its contact: at least once, in any order, and never one that a desk made up.
import { beforeEach, expect, it } from 'vitest';
import { ConnectApiError } from '../../../cloud/aws/connectApi.ts';
import { createLocation } from '../../../cloud/location/location.ts';
import { memoryLocations, type LocationStore } from '../../../cloud/location/store.ts';

const instanceArn = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555';
const instance = { instanceArn, bucket: 'recordings', keyPrefix: 'connect/acme' };
const first = 's3://recordings/connect/acme/2026/01/02/c-1_20260102T030405Z.mp4';
const second = 's3://recordings/connect/acme/2026/01/02/c-1_20260102T040506Z.mp4';

const event = (location: string, startTime = '2026-01-02T03:04:05.000Z', recordingId = '0a1b2c3d-1111') => ({
  source: 'sightline',
  detail: {
    ...{ recordingStatus: 'PUBLISHED', eventDeduplicationId: `${recordingId}:PUBLISHED`, instanceArn },
    contactArn: `${instanceArn}/contact/c-1`,
    recordingInfo: { startTime, location },
  },
});

let written: { contactId: string; attributes: Readonly<Record<string, string>> }[];
let store: LocationStore;
let fault: Error | null;
let write: ReturnType<typeof createLocation>;
beforeEach(() => {
  written = [];
  fault = null;
  store = memoryLocations();
  write = createLocation({
    ...{ instances: [instance], store, attribute: 'sightlineRecording', log: () => undefined },
    now: () => new Date('2026-01-03T00:00:00Z'),
    connectIn: (region) => ({
      setAttributes(_, contactId, attributes) {
        expect(region).toBe('eu-central-1');
        if (fault !== null) return Promise.reject(fault);
        written.push({ contactId, attributes });
        return Promise.resolve();
      },
    }),
  });
});

it('writes the same for the same event again', async () => {
  expect([await write(event(first)), await write(event(first))]).toEqual(['written', 'written']);
  const attributes = { sightlineRecording: first, sightlineRecordingCount: '1' };
  expect(written).toEqual([
    { contactId: 'c-1', attributes },
    { contactId: 'c-1', attributes },
  ]);
});

it('ends with the recording that started last, in whatever order the events come', async () => {
  await write(event(second, '2026-01-02T04:05:06.000Z', '0a1b2c3d-2222'));
  await write(event(first));
  expect(written.at(-1)!.attributes).toEqual({ sightlineRecording: second, sightlineRecordingCount: '2' });
});

it('takes the longer name', async () => {
  expect(await write(event(first.replace('.mp4', '_0a1b2c3d.mp4')))).toBe('written');
});

it.each([
  ['another bucket', 's3://elsewhere/connect/acme/2026/01/02/c-1_20260102T030405Z.mp4'],
  ['another folder', 's3://recordings/other/2026/01/02/c-1_20260102T030405Z.mp4'],
  ['..', 's3://recordings/connect/acme/../x/2026/01/02/c-1_20260102T030405Z.mp4'],
  ['another contact', 's3://recordings/connect/acme/2026/01/02/c-2_20260102T030405Z.mp4'],
  ['another recording’s longer name', first.replace('.mp4', '_ffffffff.mp4')],
  ['no video', first.replace('.mp4', '.json')],
  ['a file', 'file:///recordings/c-1.mp4'],
])('ignores %s', async (_, location) => {
  expect(await write(event(location))).toBe('ignored');
  expect(written).toEqual([]);
  expect(await store.of(instanceArn, 'c-1')).toEqual([]);
});

it('ignores other events, sources and instances', async () => {
  const good = event(first);
  const others = [
    null,
    { ...good, source: 'aws.connect' },
    { ...good, detail: { ...good.detail, recordingStatus: 'COMPLETED' } },
    { ...good, detail: { ...good.detail, instanceArn: `${instanceArn}9` } },
  ];
  for (const other of others) expect(await write(other)).toBe('ignored');
});

it('fails for a retry when Connect fails, and not when the contact is unknown there', async () => {
  fault = new ConnectApiError(429, 'TooManyRequestsException');
  await expect(write(event(first))).rejects.toThrow('429');
  fault = new ConnectApiError(404, 'ResourceNotFoundException');
  expect(await write(event(first))).toBe('written');
});
