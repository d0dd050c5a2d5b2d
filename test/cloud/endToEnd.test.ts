// One contact from the page to the object, with nothing of AWS on the desk: the local authorizer accepts the page, the local broker gives
// the credentials (STS at moto), the recorder uploads and sends events with them, and a CRM gets a link.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import { startMoto } from '../rig/otherStores.ts';
import { agent, startRecorder, type Recorder } from '../rig/recorder.ts';
import { BUCKET, REGION, type S3Store } from '../rig/s3Store.ts';
import { startTestCloud, type TestCloud } from '../rig/cloud/localCloud.ts';

/** moto has it from the start. */
const BUS = `arn:aws:events:${REGION}:123456789012:event-bus/default`;

let moto: S3Store | null;
let cloud: TestCloud;
let display: Display;
let recorder: Recorder;

beforeAll(async () => {
  moto = await startMoto();
  if (moto === null) return;
  // The broker's own credentials, as a function's role would give them. The recorder gets none of it.
  process.env['AWS_ENDPOINT_URL_STS'] = moto.endpoint;
  process.env['AWS_ENDPOINT_URL_S3'] = moto.endpoint;
  process.env['AWS_REGION'] = REGION;
  process.env['AWS_ACCESS_KEY_ID'] = 'BROKERROLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  cloud = await startTestCloud({ KMS_KEY_ARN: moto.kmsKey, TAG_KEYS: 'channel', EVENT_BUS_ARN: BUS });
  display = await startDisplay({ width: 640, height: 360 });
  recorder = await startRecorder({
    display: display.display,
    flags: [
      ...['--sink', 's3', '--s3-bucket', BUCKET, '--s3-endpoint', moto.endpoint, '--s3-path-style'],
      ...['--aws-region', REGION, '--s3-kms-key-id', moto.kmsKey, '--s3-tags', 'channel=<channel>'],
      ...['--event-bus-name', BUS, '--event-bridge-endpoint', moto.endpoint],
      ...['--broker-url', cloud.brokerUrl, '--auth', 'endpoint', '--auth-url', cloud.authUrl],
    ],
    environment: {
      ...{
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        AWS_ENDPOINT_URL_STS: '',
        AWS_ENDPOINT_URL_S3: '',
      },
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
});
afterAll(async () => {
  if (moto === null) return;
  await recorder.stop();
  await display.stop();
  await cloud.close();
  await moto.stop();
});

it('a page with its token is recorded and uploaded with the broker’s credentials; others are refused', async (context) => {
  if (moto === null) return context.skip('moto is missing');
  const refused = await recorder.connect({ hello: false });
  const hello = { protocol: 1, ...agent };
  for (const token of [undefined, await cloud.pageToken('bob'), await cloud.pageToken('alice', -600)]) {
    const reply = await refused.request('hello', { ...hello, ...(token === undefined ? {} : { token }) });
    expect(reply).toMatchObject({ ok: false, error: { code: 'CLIENT_AUTH_ERROR' } });
  }
  await refused.close();

  const token = await cloud.pageToken();
  const page = await recorder.connect({ hello: { token } });
  await page.ask('contact.start', { contactId: 'call-1', channel: 'VOICE' });
  await page.ask('contact.stop', { contactId: 'call-1' });
  const event = await page.event('call-1', 'PUBLISHED');
  await page.close();

  const objects = await moto.objects();
  expect(objects.map(({ key }) => key.replace(/^.*\./, '')).sort()).toEqual(['json', 'mp4']);
  for (const { key, kmsKeyId, tags } of objects) {
    expect(key).toMatch(
      /^connect\/acme\/ScreenRecordings\/\d{4}\/\d\d\/\d\d\/call-1_\d{8}T\d{6}Z\.(mp4|json)$/,
    );
    expect({ kmsKeyId, tags }).toEqual({ kmsKeyId: moto.kmsKey, tags: { channel: 'VOICE' } });
  }
  expect(JSON.stringify(event.detail)).toContain(`s3://${BUCKET}/connect/acme`);

  // From the event to a link for a CRM.
  expect(await cloud.published(event)).toBe('written');
  const links = (reader: string): Promise<Response> =>
    fetch(`${cloud.origin}/recordings/call-1?instance=${agent.instanceArn.split('/').at(-1)}`, {
      headers: { authorization: `Bearer ${reader}` },
    });
  expect((await links(token)).status).toBe(403);
  const { recordings } = (await (
    await links(await cloud.pageToken('qa', 60, { scope: 'openid recordings:read' }))
  ).json()) as {
    recordings: { url: string }[];
  };
  expect(recordings).toHaveLength(1);
  const video = Buffer.from(await (await fetch(recordings[0]!.url)).arrayBuffer());
  expect(video.equals(objects.find(({ key }) => key.endsWith('.mp4'))!.bytes)).toBe(true);

  const given = cloud.lines.filter(({ event }) => event === 'credentials');
  // Once: for the video, the manifest and the events.
  expect(given).toHaveLength(1);
  await expect.poll(() => readdir(join(recorder.dataDir, 'outbox'))).toEqual([]);
  expect(given[0]).toMatchObject({ agentArn: agent.agentArn, contactId: 'call-1', isOwn: true });
  // No token anywhere but in memory.
  const said = JSON.stringify(cloud.lines) + recorder.stderr();
  for (const part of token.split('.')) expect(said).not.toContain(part);
});
