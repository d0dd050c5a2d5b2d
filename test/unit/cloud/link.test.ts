// Links for a CRM: who may have them, and what each answer leaves in the log.
import { beforeEach, expect, it } from 'vitest';
import type { HttpEvent } from '../../../cloud/http/lambda.ts';
import { createLink } from '../../../cloud/link/link.ts';
import { linkSettings } from '../../../cloud/link/settings.ts';
import { memoryLocations } from '../../../cloud/location/store.ts';
import { accessSettings } from '../../../cloud/settings.ts';
import type { Claims } from '../../../cloud/tokens/verifier.ts';

const one = 'arn:aws:connect:eu-central-1:123456789012:instance/one';
const two = 'arn:aws:connect:eu-central-1:123456789012:instance/two';
const env = {
  INSTANCES: JSON.stringify([
    { instanceArn: one, bucket: 'recordings', keyPrefix: 'one' },
    { instanceArn: two, bucket: 'recordings', keyPrefix: 'two' },
  ]),
  ...{ TOKEN_ISSUER: 'https://id.example', TOKEN_AUDIENCE: 'crm', TOKEN_INSTANCE_CLAIM: 'instances' },
};
const access = accessSettings(env);

let lines: Readonly<Record<string, unknown>>[];
let claims: Partial<Claims>;
let get: (
  path: string,
  instance?: string,
  method?: string,
) => Promise<{ status: number; body: Record<string, unknown> }>;
beforeEach(async () => {
  lines = [];
  claims = { sub: 'quinn', exp: 1, scope: 'openid recordings:read', instances: ['one'] };
  const store = memoryLocations();
  for (const [contactId, count] of [
    ['c-1', 1],
    ['c-many', 12],
  ] as const)
    for (let number = 0; number < count; number++)
      await store.put({
        ...{ instanceArn: one, contactId, recordingId: `r-${number}`, bucket: 'recordings' },
        ...{ key: `one/${contactId}-${number}.mp4`, startTime: `2026-01-02T03:04:${10 + number}.000Z` },
      });
  const handler = createLink({
    ...{ settings: linkSettings(env, access), access, store, log: (line) => lines.push(line) },
    verify: () => Promise.resolve(claims as Claims),
    presign: (bucket, key, seconds) =>
      Promise.resolve(`https://${bucket}/${key}?secret-signature&X-Amz-Expires=${seconds}`),
    now: () => 0,
  });
  get = async (path, instance = 'one', method = 'GET') => {
    const event: HttpEvent = {
      rawPath: path,
      headers: { authorization: 'Bearer t' },
      queryStringParameters: { instance },
      requestContext: { http: { method } },
    };
    const { statusCode, body } = await handler(event);
    return { status: statusCode, body: JSON.parse(body) as Record<string, unknown> };
  };
});

it('gives short-lived links, and one line of audit without the URL', async () => {
  expect(await get('/recordings/c-1')).toEqual({
    status: 200,
    body: {
      contactId: 'c-1',
      recordings: [
        {
          ...{
            recordingId: 'r-0',
            startTime: '2026-01-02T03:04:10.000Z',
            expiresAt: '1970-01-01T00:02:00.000Z',
          },
          url: 'https://recordings/one/c-1-0.mp4?secret-signature&X-Amz-Expires=120',
        },
      ],
    },
  });
  expect(lines).toMatchObject([{ event: 'links', who: 'quinn', contactId: 'c-1', recordingIds: ['r-0'] }]);
  expect(JSON.stringify(lines)).not.toContain('secret-signature');
});

it('gives ten at most, the newest', async () => {
  const { body } = await get('/recordings/c-many');
  expect((body['recordings'] as { recordingId: string }[]).map(({ recordingId }) => recordingId)[0]).toBe(
    'r-2',
  );
});

it.each<[string, Partial<Claims>, string, string, number, string]>([
  ['without the scope', { scope: 'openid' }, '/recordings/c-1', 'one', 403, 'MAY_NOT_READ'],
  [
    'with a scope that only begins alike',
    { scope: 'recordings:reader' },
    '/recordings/c-1',
    'one',
    403,
    'MAY_NOT_READ',
  ],
  ['of another instance', {}, '/recordings/c-1', 'two', 403, 'INSTANCE_NOT_ALLOWED'],
  ['of no instance', {}, '/recordings/c-1', '', 403, 'INSTANCE_NOT_ALLOWED'],
  ['for an unknown contact', {}, '/recordings/c-9', 'one', 404, 'NO_RECORDING'],
  ['for a name that is none', {}, '/recordings/..%2f', 'one', 400, 'INVALID_REQUEST'],
  ['for another path', {}, '/recordings/c-1/x', 'one', 404, 'NOT_FOUND'],
])('refuses %s', async (_, change, path, instance, status, code) => {
  claims = { ...claims, ...change };
  expect(await get(path, instance)).toMatchObject({ status, body: { code } });
});

it('limits how many one reader gets', async () => {
  const statuses = await Promise.all(Array.from({ length: 25 }, () => get('/recordings/c-1')));
  expect(statuses.filter(({ status }) => status === 200)).toHaveLength(20);
  expect(statuses.at(-1)).toMatchObject({ status: 429 });
});

it('refuses to serve several instances without a claim that tells readers apart', () => {
  const { TOKEN_INSTANCE_CLAIM: _, ...without } = env;
  expect(() => linkSettings(without, accessSettings(without))).toThrow('TOKEN_INSTANCE_CLAIM');
});
