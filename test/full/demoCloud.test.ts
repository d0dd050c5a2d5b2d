// `npm run demo:cloud` is what a cloud architect runs first: it ends, and what it shows is true.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { cfnFolders } from '../../scripts/s3Stores.mjs';

const script = fileURLToPath(new URL('../../scripts/demo-cloud.ts', import.meta.url));

it('records a contact with the broker’s credentials into the template’s bucket, and the events reach the log group', (context) => {
  if (cfnFolders() === null) return context.skip('moto is missing');
  const { DISPLAY: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', script, '--quick', '--json'],
    { encoding: 'utf8', env },
  );
  expect(status, stderr).toBe(0);
  const told = JSON.parse(stdout) as {
    objects: { key: string }[];
    statuses: string[];
    manifest: { suspensions: unknown[] };
  };
  expect(told.objects.map(({ key }) => key.replace(/^.*\./, '')).sort()).toEqual(['json', 'mp4']);
  for (const one of told.objects)
    expect(one).toMatchObject({
      encryption: 'aws:kms',
      kmsKeyId: expect.stringMatching(/:key\//) as string,
      tags: { channel: 'VOICE' },
    });
  expect(told.statuses.toSorted()).toEqual(['COMPLETED', 'INITIATED', 'PUBLISHED']);
  expect(told.manifest.suspensions).toMatchObject([{ reason: 'suspended by the flow', resumedBy: 'page' }]);
  expect(stderr).toContain('suspend through the relay: SUSPENDED');
});
