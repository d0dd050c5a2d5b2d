// The template as others read it: cfn-lint has nothing to say, and moto's CloudFormation deploys it with the policies that our own resolver
// (test/rig/aws/template.ts) makes of it. Left out where the set-up could not fetch them.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { cfnFolders } from '../../scripts/s3Stores.mjs';
import { EXAMPLE } from '../rig/aws/example.ts';
import { NOT_IN_MOTO } from '../rig/aws/inMoto.ts';
import { Deployment, TEMPLATE_FILE, textOf, type Json } from '../rig/aws/template.ts';
import { orLeftOut } from '../rig/leftOut.ts';

const folders = cfnFolders();
const why = folders === null ? 'the set-up could not fetch cfn-lint and moto (Python, pip)' : null;
const SCRIPT = fileURLToPath(new URL('../rig/aws/deployToMoto.py', import.meta.url));

function python(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('python3', args, {
    ...{ input, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 },
    env: { ...process.env, PYTHONPATH: (folders ?? []).join(delimiter) },
  });
  return { status, output: status === 0 ? stdout : `${stdout}${stderr}` };
}

interface Deployed {
  readonly status: string;
  readonly names: Readonly<Record<string, string>>;
  readonly bucket: Readonly<Record<'encryption' | 'versioning' | 'public' | 'lifecycle' | 'policy', Json>>;
  readonly keyPolicy: Json;
  readonly roles: Readonly<Record<string, { trust: Json; policies: readonly Json[] }>>;
  readonly connectRule: Json;
  readonly targets: readonly string[];
  readonly logPolicy: Json;
  readonly function: { readonly Environment: { readonly Variables: Record<string, string> } };
}

describe.skipIf(why !== null)(orLeftOut('the template', why), () => {
  it('is clean for cfn-lint, which sees the mistake of another one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sightline-cfn-'));
    const other = join(folder, 'wrong.json');
    await writeFile(other, '{"Resources":{"A":{"Type":"AWS::S3::Bucket","Properties":{"Name":"x"}}}}');
    const lint = 'import sys; from cfnlint.runner import main; sys.exit(main())';
    const { status, output } = python(['-c', lint, '--format', 'parseable', '--', TEMPLATE_FILE, other]);
    await rm(folder, { recursive: true });
    expect(output).toMatch(/^[^\n]*wrong\.json:[\d:]+:E3002:[^\n]*\n*$/);
    expect(status).toBe(2);
  });
});

describe.skipIf(why !== null)(orLeftOut('deployed by moto', why), () => {
  const parameters = {
    ...EXAMPLE,
    Tag1Key: 'queue',
    Tag1Value: 'Billing',
    UploadTagKeys: 'queue',
    AccessRecord: 'cloudtrail',
    Relay: 'yes',
    Location: 'yes',
    Link: 'yes',
  };
  const deployment = new Deployment(parameters);
  const resources = deployment.resources();
  const properties = (name: string) => resources[name]?.Properties ?? {};
  let deployed: Deployed;
  /** Generated names, replaced by those of our resolver. */
  const named = (value: Json): Json => {
    const names = Object.entries(deployed.names).filter(([logical]) =>
      /(Role|Table)$|^Key$|^AccessRecordBucket$/.test(logical),
    );
    const text = names.reduce(
      (all, [logical, physical]) =>
        all.replaceAll(
          physical,
          logical === 'Key' ? '11111111-2222-3333-4444-555555555555' : `sightline-${logical}`,
        ),
      JSON.stringify(value),
    );
    return JSON.parse(text) as Json;
  };

  beforeAll(() => {
    const order = {
      ...{
        template: deployment.decided(NOT_IN_MOTO),
        parameters,
        functions: ['broker', 'relay', 'location', 'link'],
      },
      bucket: { properties: properties('Bucket'), policy: properties('BucketPolicy')['PolicyDocument'] },
    };
    const { status, output } = python(['-W', 'ignore', SCRIPT], JSON.stringify(order));
    if (status !== 0) throw new Error(output);
    deployed = JSON.parse(output) as Deployed;
  });

  it('is complete', () => {
    expect(deployed.status).toBe('CREATE_COMPLETE');
    const expected = Object.entries(resources).filter(([, { Type }]) => !NOT_IN_MOTO.includes(Type));
    expect(Object.keys(deployed.names).toSorted()).toEqual(expected.map(([name]) => name).toSorted());
    expect(Object.keys(deployed.names).length).toBeGreaterThan(20);
  });

  it('has the roles and the key with the policies that we evaluate', () => {
    const roles = Object.keys(deployed.roles);
    expect(roles.length).toBeGreaterThan(5);
    for (const role of roles) {
      const policy = properties(role.replace(/Role$/, 'Policy'))['PolicyDocument'];
      expect(named([...(deployed.roles[role]?.policies ?? [])]), role).toEqual([policy]);
      expect(named(deployed.roles[role]?.trust ?? null), role).toEqual(
        properties(role)['AssumeRolePolicyDocument'],
      );
    }
    expect(named(deployed.keyPolicy)).toEqual(properties('Key')['KeyPolicy']);
    expect(JSON.stringify(deployed.logPolicy)).toContain(
      'log-group:/aws/events/sightline-screen-recordings:*',
    );
  });

  it('has a bucket that is encrypted, versioned, private and emptied by age and tag only', () => {
    expect(named(deployed.bucket.encryption)).toMatchObject([
      {
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: 'aws:kms',
          KMSMasterKeyID: expect.stringMatching(/:key\/11111111-/) as string,
        },
      },
    ]);
    expect(deployed.bucket.versioning).toBe('Enabled');
    expect(Object.values(deployed.bucket.public ?? {})).toEqual([true, true, true, true]);
    expect(deployed.bucket.lifecycle).toMatchObject([
      { ID: 'abort-unfinished-uploads', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
      { ID: 'delete-old-versions', NoncurrentVersionExpiration: { NoncurrentDays: 7 } },
      { ID: 'remove-lone-delete-markers', Expiration: { ExpiredObjectDeleteMarker: true } },
      {
        ID: 'move-to-cheaper-storage',
        Transitions: [
          { Days: 30, StorageClass: 'STANDARD_IA' },
          { Days: 90, StorageClass: 'GLACIER_IR' },
        ],
      },
      { ID: 'expire', Filter: { Prefix: 'connect/' }, Expiration: { Days: 365 } },
      {
        ID: 'expire-by-tag-1',
        Filter: { And: { Prefix: 'connect/', Tags: [{ Key: 'queue', Value: 'Billing' }] } },
        Expiration: { Days: 30 },
      },
    ]);
    expect(deployed.bucket.policy).toEqual(properties('BucketPolicy')['PolicyDocument']);
  });

  it('has rules for both sources that end in the log group', () => {
    expect(deployed.connectRule).toEqual({
      source: ['aws.connect'],
      'detail-type': ['Screen Recording Status Changed'],
    });
    expect(deployed.targets).toEqual([
      'arn:aws:logs:eu-central-1:123456789012:log-group:/aws/events/sightline-screen-recordings',
    ]);
  });

  it('has the broker with its settings', () => {
    const { Variables } = properties('BrokerFunction')['Environment'] as { Variables: Record<string, Json> };
    const texts = Object.entries(Variables).map(([name, value]) => [name, textOf(value)]);
    expect(named(deployed.function.Environment.Variables)).toMatchObject(Object.fromEntries(texts));
  });
});
