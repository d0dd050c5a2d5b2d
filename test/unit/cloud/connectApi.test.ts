// Our own signed calls to Amazon Connect, against a server that works the signature out by itself.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectApi } from '../../../cloud/aws/connectApi.ts';
import { connectUsernames } from '../../../cloud/tokens/usernames.ts';
import { signatureRefusal, type SigningKey } from '../../rig/eventBridgeSignature.ts';

const key: SigningKey = {
  accessKeyId: 'AKIDTEST',
  secretAccessKey: 'a secret/of+the tests',
  sessionToken: 'session==',
};
const region = 'eu-central-1';
let server: Server;
const asked: { method: string; url: string; body: string; refusal: unknown }[] = [];
let respond: { status: number; body: string; type?: string };

beforeEach(async () => {
  asked.length = 0;
  respond = { status: 200, body: '{}' };
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const refusal = signatureRefusal(request, body, { key, region, now: Date.now(), service: 'connect' });
      asked.push({ method: request.method ?? '', url: request.url ?? '', body: body.toString(), refusal });
      const headers = respond.type === undefined ? {} : { 'x-amzn-errortype': respond.type };
      response.writeHead(respond.status, headers).end(respond.body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const open = (): ReturnType<typeof connectApi> =>
  connectApi(region, {
    AWS_ENDPOINT_URL_CONNECT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_SESSION_TOKEN: key.sessionToken,
  });

it('writes attributes, signed', async () => {
  await open().setAttributes('instance-1', 'c-1', { sightlineRecording: 's3://acme/ä.mp4' });
  expect(asked).toEqual([
    {
      ...{ method: 'POST', url: '/contact/attributes', refusal: null },
      body: JSON.stringify({
        ...{ InstanceId: 'instance-1', InitialContactId: 'c-1' },
        Attributes: { sightlineRecording: 's3://acme/ä.mp4' },
      }),
    },
  ]);
});

it('looks a username up once for each agent, signed', async () => {
  respond.body = JSON.stringify({ User: { Username: 'Alice' } });
  const usernameOf = connectUsernames(() => open());
  const agentArn = `arn:aws:connect:${region}:123456789012:instance/instance-1/agent/user-1`;
  expect([await usernameOf(agentArn), await usernameOf(agentArn)]).toEqual(['Alice', 'Alice']);
  expect(asked).toMatchObject([{ method: 'GET', url: '/users/instance-1/user-1', refusal: null }]);
});

it('knows an agent that does not exist from a Connect that does not answer', async () => {
  const agentArn = `arn:aws:connect:${region}:123456789012:instance/instance-1/agent/user-1`;
  respond = { status: 404, body: '{}', type: 'ResourceNotFoundException:http://x' };
  expect(await connectUsernames(() => open())(agentArn)).toBeNull();
  respond = { status: 429, body: '{}', type: 'TooManyRequestsException' };
  await expect(connectUsernames(() => open())(agentArn)).rejects.toMatchObject({
    status: 503,
    code: 'USERNAME_UNKNOWN',
  });
  await expect(open().setAttributes('i', 'c', {})).rejects.toThrow('429 (TooManyRequestsException)');
});
