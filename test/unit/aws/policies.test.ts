// What the roles of the template may do, by their policies together with those of bucket and key (and, for uploads, the broker's
// session policy): desks upload one recording, QA views, compliance holds, a client sees its own, IT sees none, and nobody deletes.
import { describe, expect, it } from 'vitest';
import { sessionPolicy } from '../../../cloud/broker/sessionPolicy.ts';
import { linkSettings } from '../../../cloud/link/settings.ts';
import { callerVerifier, relaySettings } from '../../../cloud/relay/settings.ts';
import { accessSettings, brokerSettings, instancesIn } from '../../../cloud/settings.ts';
import { EXAMPLE, INSTANCE_ARN } from '../../rig/aws/example.ts';
import { decide, listOf, sessionMay, type Policy, type Request } from '../../rig/aws/policies.ts';
import { Deployment, PSEUDO, type Parameters, type Pseudo } from '../../rig/aws/template.ts';

const BUCKET = 'arn:aws:s3:::acme-recordings';
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555';
const FOLDER = 'connect/acme/ScreenRecordings/2026/01/02';
const OWN = `${FOLDER}/contact-1_20260102T030405Z`;
const ENCRYPTED = {
  's3:x-amz-server-side-encryption': 'aws:kms',
  's3:x-amz-server-side-encryption-aws-kms-key-id': KEY,
};
const HTTPS = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
const THROUGH_S3 = {
  'kms:ViaService': 's3.eu-central-1.amazonaws.com',
  'kms:EncryptionContext:aws:s3:arn': BUCKET,
};
const DELETES = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention'];

function deploy(parameters: Parameters = {}, pseudo: Pseudo = PSEUDO) {
  const deployment = new Deployment({ ...EXAMPLE, ...parameters }, pseudo);
  const resources = deployment.resources();
  const policyOf = (name: string, property = 'PolicyDocument') => {
    const found = resources[name]?.Properties[property];
    if (found === undefined) throw new Error(`${name} is not deployed`);
    return found as unknown as Policy;
  };
  const bucketPolicy = policyOf('BucketPolicy');
  const keyPolicy = policyOf('Key', 'KeyPolicy');
  const roleArn = (role: string) =>
    `arn:${pseudo['AWS::Partition']}:iam::123456789012:role/sightline-${role}`;
  return {
    ...{ deployment, resources, policyOf, bucketPolicy, keyPolicy, roleArn },
    /** Both the role's policy and the bucket's or key's decide; a key's must allow as well. */
    may(
      role: string,
      action: string,
      resource: string,
      more: { session?: Policy; context?: Request['context'] } = {},
    ) {
      const identity = policyOf(`${role.replace(/Role$/, '')}Policy`);
      const { session, context } = more;
      const request = {
        action,
        resource,
        principal: roleArn(role),
        context: { ...HTTPS, 'aws:PrincipalArn': roleArn(role), ...context },
      };
      const isKey = action.startsWith('kms:');
      if (isKey && decide([keyPolicy], request) !== 'allowed') return false;
      return sessionMay(
        {
          identity,
          ...(session === undefined ? {} : { session }),
          ...(isKey ? {} : { resource: bucketPolicy }),
        },
        request,
      );
    },
  };
}

function environmentOf(name: string, { resources }: ReturnType<typeof deploy>): Record<string, string> {
  const { Variables } = resources[name]?.Properties['Environment'] as { Variables: Record<string, unknown> };
  return Object.fromEntries(Object.entries(Variables).map(([key, value]) => [key, String(value)]));
}

/** As the broker makes it for one recording. */
function sessionFor(stack: ReturnType<typeof deploy>, keyPrefix = OWN): Policy {
  const settings = brokerSettings(environmentOf('BrokerFunction', stack));
  const question = { bucket: 'acme-recordings', keyPrefix, keys: [`${keyPrefix}.mp4`, `${keyPrefix}.json`] };
  return JSON.parse(sessionPolicy(question, settings)) as Policy;
}

describe('the broker', () => {
  it('accepts the settings that the template gives it', () => {
    const stack = deploy({
      UploadTagKeys: 'queue,channel',
      MoreInstances: `,{"instanceArn":"${INSTANCE_ARN.replace('1111', '3333')}","bucket":"acme-recordings","keyPrefix":"connect/other"}`,
    });
    const environment = environmentOf('BrokerFunction', stack);
    expect(accessSettings(environment)).toMatchObject({
      instances: [{ instanceArn: INSTANCE_ARN, keyPrefix: 'connect/acme/ScreenRecordings' }, {}],
      verifier: { kind: 'oidc', jwksUrl: 'https://login.acme.example/.well-known/jwks.json' },
    });
    expect(brokerSettings(environment)).toMatchObject({
      ...{ kmsKeyArn: KEY, tagKeys: ['queue', 'channel'], allowHead: true, otherAgents: false },
      roleArn: stack.roleArn('UploadRole'),
      eventBusArn: stack.deployment.outputs()['BusArn'],
    });
  });

  it('may assume the upload role and nothing else, and only the broker may', () => {
    const stack = deploy();
    const assume = { action: 'sts:AssumeRole', resource: stack.roleArn('UploadRole') };
    expect(decide([stack.policyOf('BrokerPolicy')], assume)).toBe('allowed');
    expect(decide([stack.policyOf('BrokerPolicy')], { ...assume, resource: stack.roleArn('ViewRole') })).toBe(
      'neither',
    );
    const trust = stack.policyOf('UploadRole', 'AssumeRolePolicyDocument');
    expect(decide([trust], { ...assume, principal: stack.roleArn('BrokerRole') })).toBe('allowed');
    expect(decide([trust], { ...assume, principal: stack.roleArn('ItRole') })).toBe('neither');
  });

  it.each(['yes', 'no'])('asks for nothing that the role does not have (AllowHead %s)', (AllowHead) => {
    const stack = deploy({ UploadTagKeys: 'queue', AllowHead });
    const role = stack.policyOf('UploadPolicy').Statement.flatMap(({ Action }) => listOf(Action));
    const session = sessionFor(stack).Statement.flatMap(({ Action }) => listOf(Action));
    expect([...new Set(session)].toSorted()).toEqual([...new Set(role)].toSorted());
  });
});

describe('relay, locations and links', () => {
  const stack = deploy({ Relay: 'yes', Location: 'yes', Link: 'yes' });
  const may = (name: string, action: string, resource: string) =>
    decide([stack.policyOf(`${name}Policy`)], { action, resource, context: THROUGH_S3 }) === 'allowed';
  const table = (name: string) => `arn:aws:dynamodb:eu-central-1:123456789012:table/sightline-${name}Table`;
  const contact = `${INSTANCE_ARN}/contact/c`;

  it('accept the settings that the template gives them', () => {
    const relay = environmentOf('RelayFunction', stack);
    expect(relaySettings(relay)).toEqual({ deadlineMs: 5000, origins: [] });
    expect(callerVerifier(relay)).toBeNull();
    expect(relay).toMatchObject({
      RELAY_TABLE: 'sightline-RelayTable',
      RELAY_SOCKET_ENDPOINT: 'https://sightline-relay.execute-api.eu-central-1.amazonaws.com/live',
    });
    const link = environmentOf('LinkFunction', stack);
    expect(linkSettings(link, accessSettings(link))).toEqual({
      claim: 'scope',
      value: 'recordings:read',
      seconds: 120,
    });
    const location = environmentOf('LocationFunction', stack);
    expect(instancesIn(location)).toHaveLength(1);
    expect(location).toMatchObject({
      LOCATION_TABLE: 'sightline-LocationTable',
      CONTACT_ATTRIBUTE: 'sightlineRecording',
    });
  });

  it('do their work and no more', () => {
    expect(may('Relay', 'dynamodb:PutItem', table('Relay'))).toBe(true);
    expect(may('Relay', 'dynamodb:PutItem', table('Location'))).toBe(false);
    expect(may('Location', 'connect:UpdateContactAttributes', contact)).toBe(true);
    expect(may('Location', 's3:GetObject', `${BUCKET}/${OWN}.mp4`)).toBe(false);
    expect(may('Link', 's3:GetObject', `${BUCKET}/${OWN}.mp4`)).toBe(true);
    expect(may('Link', 's3:GetObject', `${BUCKET}/other/x`)).toBe(false);
    expect(may('Link', 'dynamodb:PutItem', table('Location'))).toBe(false);
    for (const name of ['Relay', 'Location', 'Broker']) {
      expect(may(name, 's3:GetObject', `${BUCKET}/${OWN}.mp4`), name).toBe(false);
      expect(may(name, 'kms:Decrypt', KEY), name).toBe(false);
    }
    for (const name of ['Relay', 'Link'])
      expect(may(name, 'sts:AssumeRole', stack.roleArn('UploadRole')), name).toBe(false);
  });

  it('a link can be opened: the key permits its function', () => {
    expect(stack.may('LinkRole', 'kms:Decrypt', KEY, { context: THROUGH_S3 })).toBe(true);
    expect(deploy().keyPolicy.Statement.some(({ Sid }) => Sid === 'LinksDecryptThroughS3')).toBe(false);
  });
});

describe('a desk with credentials for one recording', () => {
  const stack = deploy({ UploadTagKeys: 'queue' });
  const may = (action: string, key: string, context: Request['context'] = {}) =>
    stack.may('UploadRole', action, `${BUCKET}/${key}`, { session: sessionFor(stack), context });

  it.each(['mp4', 'json'])('uploads it, encrypted (%s)', (type) => {
    expect(may('s3:PutObject', `${OWN}.${type}`, ENCRYPTED)).toBe(true);
    expect(may('s3:AbortMultipartUpload', `${OWN}.${type}`)).toBe(true);
    expect(may('s3:ListMultipartUploadParts', `${OWN}.${type}`)).toBe(true);
    expect(may('s3:PutObjectTagging', `${OWN}.${type}`, { 's3:RequestObjectTagKeys': ['queue'] })).toBe(true);
    expect(may('s3:GetObject', `${OWN}.${type}`)).toBe(true);
  });

  it('cannot set another tag, which could shorten or prolong retention', () => {
    expect(may('s3:PutObjectTagging', `${OWN}.mp4`, { 's3:RequestObjectTagKeys': ['queue', 'keep'] })).toBe(
      false,
    );
  });

  it.each([
    ['none', {}],
    ['SSE-S3', { 's3:x-amz-server-side-encryption': 'AES256' }],
    ['the default key of S3', { 's3:x-amz-server-side-encryption': 'aws:kms' }],
    [
      'another key',
      { ...ENCRYPTED, 's3:x-amz-server-side-encryption-aws-kms-key-id': KEY.replace('1111', '9999') },
    ],
  ])('cannot upload with another encryption: %s', (_, context) => {
    expect(may('s3:PutObject', `${OWN}.mp4`, context)).toBe(false);
  });

  it.each([
    ['plain HTTP', { 'aws:SecureTransport': 'false' }],
    ['TLS 1.1', { 's3:TlsVersion': '1.1' }],
  ])('cannot upload over %s', (_, context) => {
    expect(may('s3:PutObject', `${OWN}.mp4`, { ...ENCRYPTED, ...context })).toBe(false);
  });

  it('cannot read or write another recording, or outside of the prefix', () => {
    for (const key of [`${FOLDER}/contact-2_20260102T030405Z.mp4`, 'other/x.mp4', `${OWN}.mp4/../x`]) {
      expect(may('s3:GetObject', key), key).toBe(false);
      expect(may('s3:PutObject', key, ENCRYPTED), key).toBe(false);
    }
    // The role alone, if a session policy were missing.
    const role = (action: string, key: string) =>
      stack.may('UploadRole', action, `${BUCKET}/${key}`, { context: ENCRYPTED });
    expect(role('s3:PutObject', `${OWN}.mp4`)).toBe(true);
    expect(role('s3:PutObject', 'other/x.mp4')).toBe(false);
    expect(role('s3:PutObject', 'connected/x.mp4')).toBe(false);
  });

  it('cannot delete, list, hold or change the bucket, not even with the whole role', () => {
    for (const action of [
      ...DELETES,
      's3:PutObjectLegalHold',
      's3:PutObjectRetention',
      's3:GetObjectVersion',
    ])
      expect(stack.may('UploadRole', action, `${BUCKET}/${OWN}.mp4`), action).toBe(false);
    for (const action of ['s3:ListBucket', 's3:PutBucketPolicy', 's3:PutLifecycleConfiguration'])
      expect(stack.may('UploadRole', action, BUCKET), action).toBe(false);
  });

  it('uses the key through S3 only, for this bucket only', () => {
    const key = (context: Request['context']) =>
      stack.may('UploadRole', 'kms:Decrypt', KEY, { session: sessionFor(stack), context });
    expect(key(THROUGH_S3)).toBe(true);
    expect(key({ ...THROUGH_S3, 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::other' })).toBe(false);
    expect(key({ ...THROUGH_S3, 'kms:ViaService': 'ec2.eu-central-1.amazonaws.com' })).toBe(false);
    expect(key({})).toBe(false);
  });

  it('puts events on the one bus, in the name of Sightline only', () => {
    const bus = stack.deployment.outputs()['BusArn'] ?? '';
    const put = (resource: string, source: string) =>
      stack.may('UploadRole', 'events:PutEvents', resource, {
        session: sessionFor(stack),
        context: { 'events:source': source },
      });
    expect(put(bus, 'sightline')).toBe(true);
    expect(put(bus, 'acme.billing')).toBe(false);
    expect(put(bus.replace(/[^/]+$/, 'default'), 'sightline')).toBe(false);
  });

  it('may not read at all with AllowHead no', () => {
    const strict = deploy({ AllowHead: 'no' });
    expect(strict.may('UploadRole', 's3:GetObject', `${BUCKET}/${OWN}.mp4`)).toBe(false);
  });
});

describe('people', () => {
  const stack = deploy();
  const recording = `${BUCKET}/${OWN}.mp4`;

  it('QA views and lists below the prefix', () => {
    expect(stack.may('ViewRole', 's3:GetObject', recording)).toBe(true);
    expect(stack.may('ViewRole', 's3:GetObject', `${BUCKET}/other/x.mp4`)).toBe(false);
    expect(stack.may('ViewRole', 's3:ListBucket', BUCKET, { context: { 's3:prefix': `${FOLDER}/` } })).toBe(
      true,
    );
    expect(stack.may('ViewRole', 's3:ListBucket', BUCKET)).toBe(false);
    expect(stack.may('ViewRole', 'kms:Decrypt', KEY, { context: THROUGH_S3 })).toBe(true);
    expect(stack.may('ViewRole', 'kms:Decrypt', KEY)).toBe(false);
  });

  it('compliance downloads and places holds; nobody else does, whatever other policies say', () => {
    for (const action of [
      's3:GetObject',
      's3:GetObjectVersion',
      's3:PutObjectLegalHold',
      's3:PutObjectRetention',
    ])
      expect(stack.may('ComplianceRole', action, recording), action).toBe(true);
    for (const role of ['ViewRole', 'ItRole', 'UploadRole', 'an-administrator'])
      expect(
        decide([stack.bucketPolicy], {
          ...{ action: 's3:PutObjectLegalHold', resource: recording, principal: stack.roleArn(role) },
          context: { ...HTTPS, 'aws:PrincipalArn': stack.roleArn(role) },
        }),
        role,
      ).toBe('denied');
  });

  it('a client sees its own folder only', () => {
    const client = (
      value: string | null,
      action: string,
      resource: string,
      context: Request['context'] = {},
    ) =>
      stack.may('ClientRole', action, resource, {
        context: { ...context, ...(value === null ? {} : { 'aws:PrincipalTag/sightline-client': value }) },
      });
    expect(client('acme', 's3:GetObject', recording)).toBe(true);
    for (const value of ['other', 'ac', '', null])
      expect(client(value, 's3:GetObject', recording), String(value)).toBe(false);
    const listing = { 's3:prefix': 'connect/acme/ScreenRecordings/' };
    expect(client('acme', 's3:ListBucket', BUCKET, listing)).toBe(true);
    expect(client('other', 's3:ListBucket', BUCKET, listing)).toBe(false);
    expect(client('acme', 's3:ListBucket', BUCKET, { 's3:prefix': 'connect/' })).toBe(false);
  });

  it('a client cannot choose another client: the tag must be its own', () => {
    const trust = stack.policyOf('ClientRole', 'AssumeRolePolicyDocument');
    const assume = (own: string | null, requested: string | null) =>
      decide([trust], {
        ...{
          action: 'sts:AssumeRole',
          resource: '',
          principal: 'arn:aws:iam::123456789012:role/acme-viewers',
        },
        context: {
          ...(own === null ? {} : { 'aws:PrincipalTag/sightline-client': own }),
          ...(requested === null ? {} : { 'aws:RequestTag/sightline-client': requested }),
        },
      });
    expect(assume('acme', 'acme')).toBe('allowed');
    expect(assume('other', 'other')).toBe('allowed');
    expect(assume('acme', 'other')).toBe('neither');
    expect(assume('other', 'acme')).toBe('neither');
    expect(assume(null, 'other')).toBe('neither');
    expect(assume('acme', null)).toBe('neither');
    expect(assume(null, null)).toBe('neither');
  });

  it('IT deploys and sees no recording, also with a wider policy attached', () => {
    const administrator: Policy = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    const it = [stack.policyOf('ItPolicy'), administrator];
    expect(decide(it, { action: 's3:GetObject', resource: recording })).toBe('denied');
    expect(decide(it, { action: 's3:GetObjectVersion', resource: recording })).toBe('denied');
    expect(decide(it, { action: 'kms:Decrypt', resource: KEY })).toBe('denied');
    const deploying = deploy({ DeploymentRoleArn: 'arn:aws:iam::123456789012:role/deploys' });
    const change = (role: string | null) =>
      decide([deploying.policyOf('ItPolicy')], {
        action: 'cloudformation:CreateChangeSet',
        resource: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/sightline/1',
        context: role === null ? {} : { 'cloudformation:RoleArn': role },
      });
    expect(change('arn:aws:iam::123456789012:role/deploys')).toBe('allowed');
    expect(change(null)).toBe('neither');
  });

  it('no role has a permission to delete, with or without the bucket’s policy', () => {
    const policies = Object.entries(stack.resources).filter(([, { Type }]) => Type === 'AWS::IAM::Policy');
    expect(policies.length).toBeGreaterThan(5);
    for (const [name] of policies)
      for (const action of DELETES)
        expect(decide([stack.policyOf(name)], { action, resource: recording }), `${name} ${action}`).not.toBe(
          'allowed',
        );
  });

  it('nobody deletes a recording or its record of access, not even an administrator', () => {
    const root = 'arn:aws:iam::123456789012:root';
    for (const principal of [
      root,
      ...['UploadRole', 'ViewRole', 'ComplianceRole', 'ClientRole', 'ItRole'].map(stack.roleArn),
    ])
      for (const action of DELETES)
        expect(
          decide([stack.bucketPolicy], { action, resource: recording, principal, context: HTTPS }),
          `${principal} ${action}`,
        ).toBe('denied');
    const record = {
      action: 's3:DeleteObject',
      resource: 'arn:aws:s3:::sightline-AccessRecordBucket/s3/x',
      principal: root,
    };
    expect(decide([stack.policyOf('AccessRecordBucketPolicy')], record)).toBe('denied');
  });

  it('an administrator manages the key and cannot use it', () => {
    const root = 'arn:aws:iam::123456789012:role/an-administrator';
    const key = (action: string) =>
      decide([stack.keyPolicy], { action, resource: KEY, principal: root, context: THROUGH_S3 });
    expect(key('kms:PutKeyPolicy')).toBe('allowed');
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:Encrypt', 'kms:CreateGrant'])
      expect(key(action), action).toBe('neither');
  });
});

describe('elsewhere', () => {
  const pseudo = { ...PSEUDO, 'AWS::Partition': 'aws-us-gov', 'AWS::Region': 'us-gov-west-1' };
  const InstanceArn = INSTANCE_ARN.replace('arn:aws:', 'arn:aws-us-gov:').replace(
    'eu-central-1',
    'us-gov-west-1',
  );

  it('no ARN of another partition or region is left in GovCloud', () => {
    const stack = deploy({ InstanceArn, UseFipsEndpoints: 'yes' }, pseudo);
    const text = JSON.stringify([stack.resources, stack.deployment.outputs()]);
    expect(text.match(/arn:(?!aws-us-gov)[a-z-]+:[^"]*/g)).toBeNull();
    expect(text.match(/eu-central-1/)).toBeNull();
    expect(environmentOf('BrokerFunction', stack)['AWS_USE_FIPS_ENDPOINT']).toBe('true');
  });

  it('existing resources are used, not created', () => {
    const ExistingKeyArn = KEY.replace('1111', '8888');
    const deployment = new Deployment({
      ...EXAMPLE,
      CreateBucket: 'no',
      ExistingKeyArn,
      ExistingBusName: 'calls',
    });
    const resources = deployment.resources();
    for (const name of ['Bucket', 'BucketPolicy', 'Key', 'KeyAlias', 'Bus'])
      expect(resources).not.toHaveProperty(name);
    expect(deployment.outputs()).toMatchObject({
      KeyArn: ExistingKeyArn,
      BusArn: 'arn:aws:events:eu-central-1:123456789012:event-bus/calls',
    });
    expect(resources['SightlineEventsRule']?.Properties['EventBusName']).toBe('calls');
  });

  it('each part can be left out', () => {
    const off = { Broker: 'no', Events: 'no', Roles: 'no', AccessRecord: 'none' };
    const names = Object.keys(new Deployment({ BucketName: 'acme-recordings', ...off }).resources());
    expect(names.toSorted()).toEqual(['Bucket', 'BucketPolicy', 'Key', 'KeyAlias']);
    expect(Object.keys(new Deployment({ ...EXAMPLE, Broker: 'no' }).resources())).not.toContain('UploadRole');
    expect(Object.keys(new Deployment({ ...EXAMPLE, Events: 'no' }).resources())).not.toContain('Dashboard');
  });
});
