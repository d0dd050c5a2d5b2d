// `npm run simulate` at its smallest: the real client against the local broker and store, with the requests that docs/capacity.md counts.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/simulate.ts', import.meta.url));
function simulate(...args: string[]) {
  return spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { encoding: 'utf8' });
}

it('prints a table, and JSON in which each recording has its requests', () => {
  const { status, stdout, stderr } = simulate('--agents', '600', '--seconds', '3', '--steps', '1');
  expect(stderr).not.toContain('Error');
  expect(status).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^\| agents \| broker requests\/s /);
  const { steps } = JSON.parse(lines.at(-1) ?? '') as {
    steps: { uploads: number; errors: number; unfinished: number; counts: Record<string, number> }[];
  };
  expect(steps).toHaveLength(1);
  const { uploads, errors, unfinished, counts } = steps[0]!;
  expect({ errors, unfinished }).toEqual({ errors: 0, unfinished: 0 });
  expect(uploads).toBeGreaterThan(0);
  // Video and manifest: one upload each, with the same credentials.
  expect(counts).toMatchObject({
    AssumeRole: uploads,
    CreateMultipartUpload: 2 * uploads,
    CompleteMultipartUpload: 2 * uploads,
  });
  expect(counts['UploadPart']).toBeGreaterThanOrEqual(2 * uploads);
});

it('says what is wrong with its options', () => {
  const { status, stderr } = simulate('--burst', 'lunch');
  expect(status).toBe(64);
  expect(stderr).toContain('usage: npm run simulate');
});
