// The bundles that a release deploys, each in a process of its own and with the AWS SDK's real clients: STS, DynamoDB and S3 at moto,
// API Gateway's management API at a server of ours.
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HttpResult } from '../../cloud/http/lambda.ts';
import { cloudEnvironment, signPageToken } from '../rig/cloud/localCloud.ts';
import { startMoto } from '../rig/otherStores.ts';
import { agent } from '../rig/recorder.ts';
import { REGION, type S3Store } from '../rig/s3Store.ts';

const harness = fileURLToPath(new URL('../rig/lambdaProcess.mjs', import.meta.url));
const { instanceArn, agentArn } = agent;
const CONTACT = 'call-1';
const RECORDING = '0a1b2c3d-0000-4000-8000-000000000000';

let moto: S3Store | null;
let gateway: Server;
/** What the functions sent to pages. */
const pushed: { connection: string; message: Record<string, unknown> }[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  moto = await startMoto();
  if (moto === null) return;
  gateway = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const connection = decodeURIComponent(request.url?.split('/@connections/')[1] ?? '');
      const isSigned = (request.headers.authorization ?? '').startsWith('AWS4-HMAC-SHA256 ');
      if (connection === 'gone') response.writeHead(410, { 'x-amzn-errortype': 'GoneException' }).end('{}');
      else if (!isSigned) response.writeHead(403).end('{}');
      else {
        pushed.push({
          connection,
          message: JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>,
        });
        response.end('{}');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const client = new DynamoDBClient({
    endpoint: moto.endpoint,
    credentials: moto.credentials,
    region: REGION,
  });
  for (const TableName of ['relay', 'locations']) {
    const KeySchema: KeySchemaElement[] = [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ];
    const AttributeDefinitions = KeySchema.map(({ AttributeName }) => ({
      AttributeName,
      AttributeType: 'S' as const,
    }));
    await client.send(
      new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema, AttributeDefinitions }),
    );
  }
  client.destroy();
});
beforeEach((context) => {
  if (moto === null) context.skip('moto is missing');
});
afterAll(async () => {
  for (const child of children) child.kill();
  if (moto === null) return;
  gateway.close();
  await moto.stop();
});

/** @returns calls its handler */
function start(
  name: string,
  more: Readonly<Record<string, string>> = {},
): (event: unknown) => Promise<unknown> {
  const bundle = fileURLToPath(new URL(`../../dist/cloud/${name}/index.mjs`, import.meta.url));
  const { endpoint } = moto!;
  const child = spawn(process.execPath, [harness, bundle], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...{
        PATH: process.env['PATH'],
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: 'FUNCTION',
        AWS_SECRET_ACCESS_KEY: 's',
      },
      ...{ AWS_ENDPOINT_URL: endpoint, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      ...cloudEnvironment,
      ...more,
    },
  });
  children.push(child);
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the function ended with ${code}`));
  });
  let last = 0;
  return (event) =>
    new Promise((resolve, reject) => {
      waiting.set((last += 1), { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: last, event })}\n`);
    });
}

const request = (method: string, rawPath: string, more: object = {}) => ({
  ...{ rawPath, requestContext: { http: { method } } },
  ...more,
});
const bearer = async (name: string, claims = {}) => ({
  authorization: `Bearer ${await signPageToken(name, 600, claims)}`,
});
function keyOf(startTime: string): string {
  const [day, time] = startTime.slice(0, 19).split('T') as [string, string];
  return `connect/acme/ScreenRecordings/${day.replaceAll('-', '/')}/${CONTACT}_${day}T${time}Z`.replaceAll(
    /(?<=_.*)[-:]/g,
    '',
  );
}

it('broker: gives STS’s credentials to the agent, and refuses others', async () => {
  const call = start('broker');
  const keyPrefix = keyOf(new Date().toISOString());
  const body = JSON.stringify({
    recordingId: RECORDING,
    contactId: CONTACT,
    agentArn,
    instanceArn,
    bucket: 'recordings',
    keyPrefix,
  });
  const ask = async (name: string) =>
    (await call(request('POST', '/credentials', { headers: await bearer(name), body }))) as HttpResult;
  const given = await ask('alice');
  expect(given.statusCode).toBe(200);
  expect(JSON.parse(given.body)).toMatchObject({ accessKeyId: expect.stringMatching(/^ASIA/) as string });
  expect((await ask('bob')).statusCode).toBe(403);
});

it('relay: a flow’s suspend reaches the page, and its acknowledgement the flow', async () => {
  const { port } = gateway.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}/live`;
  const call = start('relay', { RELAY_TABLE: 'relay', RELAY_SOCKET_ENDPOINT: endpoint });
  const page = (message: object) =>
    call({ requestContext: { eventType: 'MESSAGE', connectionId: 'page' }, body: JSON.stringify(message) });
  const said = (type: string) =>
    pushed.find(({ connection, message }) => connection === 'page' && message['type'] === type);
  expect(await call({ requestContext: { eventType: 'CONNECT', connectionId: 'page' } })).toEqual({
    statusCode: 200,
  });
  const token = await signPageToken('alice', 600);
  await page({ type: 'subscribe', token, agentArn, instanceArn, contacts: [{ contactId: CONTACT }] });
  expect(said('subscribed')).toBeDefined();
  const ContactData = { ContactId: CONTACT, InitialContactId: CONTACT, InstanceARN: instanceArn };
  const flow = call({ Details: { ContactData, Parameters: { action: 'suspend' } } });
  await expect.poll(() => said('request')?.message).toMatchObject({ contactId: CONTACT, suspended: true });
  await page({ type: 'acknowledge', requestId: said('request')?.message['requestId'], outcome: 'suspended' });
  expect(await flow).toMatchObject({ status: 'SUSPENDED' });
  // A connection that is gone is no desk any more, and no error.
  await call({ requestContext: { eventType: 'MESSAGE', connectionId: 'gone' }, body: '{"type":"ping"}' });
});

it('location and link: from the event PUBLISHED to a URL for a CRM', async () => {
  const table = { LOCATION_TABLE: 'locations', CONTACT_ATTRIBUTE: '' };
  const [location, link] = [start('location', table), start('link', table)];
  const startTime = new Date().toISOString();
  const key = `${keyOf(startTime)}.mp4`;
  const published = {
    source: 'sightline',
    detail: {
      ...{ recordingStatus: 'PUBLISHED', eventDeduplicationId: `${RECORDING}:PUBLISHED`, instanceArn },
      contactArn: `${instanceArn}/contact/${CONTACT}`,
      recordingInfo: { startTime, location: `s3://recordings/${key}` },
    },
  };
  expect(await location(published)).toBe('written');
  expect(await location({ ...published, source: 'another' })).toBe('ignored');
  const queryStringParameters = { instance: instanceArn.split('/').at(-1) };
  const ask = async (claims: object) =>
    (await link(
      request('GET', `/recordings/${CONTACT}`, {
        headers: await bearer('qa', claims),
        queryStringParameters,
      }),
    )) as HttpResult;
  expect((await ask({})).statusCode).toBe(403);
  const { body } = await ask({ scope: 'openid recordings:read' });
  const { recordings } = JSON.parse(body) as { recordings: { url: string }[] };
  expect(recordings.map(({ url }) => new URL(url).pathname)).toEqual([expect.stringContaining(key)]);
});
