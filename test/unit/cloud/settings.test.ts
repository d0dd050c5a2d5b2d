// Settings that would open a hole are refused at the start, with the name of the variable.
import { describe, expect, it } from 'vitest';
import { accessSettings, brokerSettings, type Environment } from '../../../cloud/settings.ts';

const instanceArn = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555';
const instance = { instanceArn, bucket: 'acme-recordings', keyPrefix: 'connect/acme' };
const good: Environment = {
  INSTANCES: JSON.stringify([instance]),
  TOKEN_ISSUER: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc',
  TOKEN_AUDIENCE: 'client',
};
const second = { ...instance, instanceArn: instanceArn.replace('1111', '2222'), keyPrefix: 'connect/other' };

it('finds Cognito’s keys', () => {
  expect(accessSettings(good).verifier).toMatchObject({
    kind: 'oidc',
    jwksUrl: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc/.well-known/jwks.json',
  });
});

describe('refuses', () => {
  const withInstances = (...all: unknown[]): Environment => ({ ...good, INSTANCES: JSON.stringify(all) });
  it.each<[string, Environment, RegExp]>([
    ['no instances', { ...good, INSTANCES: '[]' }, /INSTANCES/],
    ['instances that are no JSON', { ...good, INSTANCES: 'x' }, /INSTANCES/],
    ['a wildcard in a prefix', withInstances({ ...instance, keyPrefix: 'connect/*' }), /keyPrefix/],
    ['.. in a prefix', withInstances({ ...instance, keyPrefix: 'connect/../x' }), /keyPrefix/],
    ['an empty prefix', withInstances({ ...instance, keyPrefix: '' }), /keyPrefix/],
    [
      'one client’s folder in another’s',
      withInstances(instance, { ...second, keyPrefix: 'connect/acme/b' }),
      /within/,
    ],
    [
      'the same folder twice',
      withInstances(instance, { ...second, keyPrefix: instance.keyPrefix }),
      /within/,
    ],
    ['an instance twice', withInstances(instance, { ...instance, keyPrefix: 'other' }), /twice/],
    ['no audience', { ...good, TOKEN_AUDIENCE: '' }, /audience/],
    ['keys over HTTP', { ...good, TOKEN_JWKS_URL: 'http://keys.example/jwks' }, /https/],
    ['a short secret', { ...good, TOKEN_VERIFIER: 'hmac', TOKEN_SECRET: 'short' }, /secret/],
    [
      'usernames of several instances',
      { ...withInstances(instance, second), TOKEN_AGENT_CLAIM_KIND: 'username' },
      /TOKEN_INSTANCE_CLAIM/,
    ],
  ])('%s', (_, env, message) => {
    expect(() => accessSettings(env)).toThrow(message);
  });

  it('a bus for all buses, and credentials for longer than an hour', () => {
    const ROLE_ARN = 'arn:aws:iam::123456789012:role/uploads';
    expect(brokerSettings({ ROLE_ARN }).durationSeconds).toBe(900);
    const bus = 'arn:aws:events:eu-central-1:123456789012:event-bus/*';
    expect(() => brokerSettings({ ROLE_ARN, EVENT_BUS_ARN: bus })).toThrow(/eventBusArn/);
    expect(() => brokerSettings({ ROLE_ARN, CREDENTIALS_SECONDS: '7200' })).toThrow(/durationSeconds/);
  });
});
