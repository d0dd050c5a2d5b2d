// `npm run demo:cloud`: the cloud side on this computer. moto is AWS, with our template deployed in it; broker, authorizer and relay run here,
// the same handlers as in Lambda; a page in Chromium has a contact recorded by the real recorder, with credentials of the broker, and a
// flow suspends and resumes it through the relay. Prints a transcript. Options: --quick (any ffmpeg will do), --json (one line of JSON).

import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../test/rig/browser.ts';
import { startTestCloud } from '../test/rig/cloud/localCloud.ts';
import { startDisplay } from '../test/rig/display.ts';
import { startPageServer } from '../test/rig/pageServer.ts';
import { agent, startRecorder } from '../test/rig/recorder.ts';
import { REGION, startAws } from './demoCloud/aws.ts';

const SCREEN = { width: 1280, height: 720 };
const CONTACT = 'call-1';
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);
const stops: (() => Promise<unknown>)[] = [];
try {
  await demo();
} catch (error) {
  process.stderr.write(`demo:cloud: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit();

async function demo(): Promise<void> {
  say('1. AWS on this computer: moto, and resources/aws/sightline.yml deployed by its CloudFormation');
  const aws = await startAws(agent.instanceArn);
  stops.push(() => aws.stop());
  const { ROLE_ARN = '', KMS_KEY_ARN = '', EVENT_BUS_ARN = '', INSTANCES = '' } = aws.brokerVariables;
  const [{ bucket }] = JSON.parse(INSTANCES) as [{ bucket: string }];
  say(`   ${Object.keys(aws.names).length} resources; bucket ${bucket}, key ${KMS_KEY_ARN}`);
  say(`   bus ${aws.bus}, log group ${aws.logGroup}`);
  say("   by API calls instead, with the template's value: the bucket's versioning");

  // The broker's own credentials, as its function's role has them. The recorder gets none of them.
  process.env['AWS_ENDPOINT_URL_STS'] = aws.endpoint;
  process.env['AWS_ENDPOINT_URL_S3'] = aws.endpoint;
  process.env['AWS_REGION'] = REGION;
  process.env['AWS_ACCESS_KEY_ID'] = 'BROKERROLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  const cloud = await startTestCloud({
    INSTANCES,
    ROLE_ARN,
    KMS_KEY_ARN,
    EVENT_BUS_ARN,
    TAG_KEYS: 'channel',
  });
  stops.push(() => cloud.close());
  say(
    `2. Broker, authorizer, relay, location and links: ${cloud.origin}, with the settings of the deployed function`,
  );

  const screen = await startDisplay(SCREEN);
  stops.push(() => screen.stop());
  const recorder = await startRecorder({
    display: screen.display,
    flags: [
      ...['--sink', 's3', '--s3-bucket', bucket, '--s3-endpoint', aws.endpoint, '--s3-path-style'],
      ...['--aws-region', REGION, '--s3-kms-key-id', KMS_KEY_ARN, '--s3-tags', 'channel=<channel>'],
      ...['--broker-url', cloud.brokerUrl, '--auth', 'endpoint', '--auth-url', cloud.authUrl],
      ...['--event-bus-name', aws.bus, '--event-bridge-endpoint', aws.endpoint],
    ],
    // Nothing of AWS on the desk: uploads and events use the broker's credentials.
    environment: {
      ...{
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      ...{ AWS_ENDPOINT_URL_STS: '', AWS_ENDPOINT_URL_S3: '' },
    },
  });
  stops.push(() => recorder.stop());
  const token = await cloud.pageToken();
  const settings = JSON.stringify({
    identity: { ...agent, ccpVersion: 'demo' },
    port: recorder.port,
    token,
    relayUrl: cloud.relayUrl,
  });
  const server = await startPageServer({
    routes: {
      '/sightline-ccp.js': { file: fileURLToPath(new URL('../dist/ccp/sightline-ccp.js', import.meta.url)) },
      '/': `<!doctype html><meta charset="utf-8"><title>Agent's page</title><h1>Agent's page</h1>
<script src="/sightline-ccp.js"></script><script>
  const { identity, port, token, relayUrl } = ${settings};
  const client = Sightline.createClient({ identity, port, token: () => token });
  window.contacts = Sightline.createContactRecorder(client);
  window.relay = Sightline.relay({ contacts, identity }, { url: relayUrl, token: () => token });
</script>`,
    },
  });
  stops.push(() => server.stop());
  const browser = await startBrowser({ display: screen.display, window: { x: 0, y: 0, ...SCREEN } });
  stops.push(() => browser.stop());
  const page = await browser.context.newPage();
  await page.goto(`${server.origin}/`);
  say(`3. The recorder (port ${recorder.port}), and an agent's page in Chromium, accepted by the authorizer`);

  await page.evaluate(`contacts.record({ contactId: '${CONTACT}', channel: 'VOICE' })`);
  const state = (): Promise<unknown> =>
    page.evaluate(`contacts.contacts.find(({ contactId }) => contactId === '${CONTACT}')?.state`);
  await until('the contact is recorded', async () => (await state()) === 'recording');
  await until('the page is subscribed to the relay', () =>
    cloud.lines.some(({ event, contacts }) => event === 'desk-subscribed' && contacts === 1),
  );
  say(`4. ${CONTACT} is recorded`);
  await sleep(2000); // something to see
  const asked = { ContactId: CONTACT, InitialContactId: CONTACT };
  for (const action of ['suspend', 'resume']) {
    const { status, body } = await cloud.call(action, asked);
    if (status !== 200)
      throw new Error(`The relay answered ${action} with ${status}: ${JSON.stringify(body)}`);
    say(
      `5. A flow: ${action} through the relay: ${String(body['status'])}, confirmed by the desk after ${String(body['waitedMillis'])} ms`,
    );
    await sleep(1000);
  }
  await page.evaluate(`contacts.stop('${CONTACT}')`);
  const statuses = async (): Promise<string[]> =>
    (await recorder.events()).map(({ detail }) => detail.recordingStatus);
  await until(
    'the recording is published',
    async () => (await statuses()).includes('PUBLISHED'),
    () => ` The recorder said last:\n${recorder.stderr().slice(-1000)}`,
  );
  say('6. The contact ended, and its recording is in the bucket:');
  const objects = await aws.objects();
  for (const { key, bytes, encryption, kmsKeyId, tags, versionId } of objects) {
    say(`   s3://${bucket}/${key}`);
    say(
      `     ${bytes.length} bytes, ${encryption} with ${kmsKeyId.replace(/^.*:/, '')}, tags ${JSON.stringify(tags)}, version ${versionId}`,
    );
  }
  const manifest = JSON.parse(objects.find(({ key }) => key.endsWith('.json'))?.bytes.toString() ?? '{}') as {
    video?: { location?: string; sha256?: string };
    suspensions?: unknown[];
  };
  say(`   manifest: ${JSON.stringify(manifest.video)}`);
  say(`   suspensions: ${JSON.stringify(manifest.suspensions)}`);
  const given = cloud.lines.filter(({ event }) => event === 'credentials');
  say(`   credentials from the broker: ${given.length}, each for this recording only (session policy)`);

  const logged = async (): Promise<{ detail: { recordingStatus: string } }[]> =>
    (await aws.logged()).map((text) => JSON.parse(text) as { detail: { recordingStatus: string } });
  await until('the events are in the log group', async () => (await logged()).length >= 3);
  const events = await logged();
  say('7. The events in the log group, through the bus and its rule:');
  for (const event of events)
    say(`   ${event.detail.recordingStatus.padEnd(10)} ${JSON.stringify(event).slice(0, 160)}…`);
  const published = (await recorder.events()).find(({ detail }) => detail.recordingStatus === 'PUBLISHED');
  const location = /s3:\/\/[^"]+/.exec(JSON.stringify(published))?.[0];
  say(
    `8. The location in the PUBLISHED event: ${String(location)}; for links: ${await cloud.published(published)}`,
  );

  say(
    "   (PutEvents was signed with the desk's own AWS credentials: the recorder uses the broker's for S3 only.)",
  );
  say('\nNot shown here, because the local AWS cannot do it:');
  for (const type of aws.missing) say(`   ${type}: deployed in a real account only`);
  say(
    '   permissions: moto evaluates no conditions (test/rig/aws/policies.ts does), so the policy of the bucket is left out; lifecycle; bucket keys; API Gateway; TLS',
  );
  say(
    '   In a real account: aws cloudformation deploy --stack-name sightline --template-file resources/aws/sightline.yml \\',
  );
  say(
    '     --capabilities CAPABILITY_IAM --parameter-overrides BucketName=… CodeBucket=… InstanceArn=…   (all steps: docs/aws.md)',
  );
  if (options.json) {
    const shown = objects.map(({ key, encryption, kmsKeyId, tags }) => ({ key, encryption, kmsKeyId, tags }));
    const bytesLogged = events.map((event) => JSON.stringify(event).length);
    process.stdout.write(
      `${JSON.stringify({ objects: shown, statuses: events.map(({ detail }) => detail.recordingStatus), bytesLogged, credentials: given.length, manifest })}\n`,
    );
  }
}

/** @param why what else to say when it does not come true */
async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  why: () => string = () => '',
): Promise<void> {
  const end = performance.now() + 30_000;
  while (performance.now() < end) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`Not within 30 s: ${what}.${why()}`);
}
