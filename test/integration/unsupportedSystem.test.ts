// On a system for which there is no recorder the program says so and ends. The system is macOS by name only: nothing of it is here.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { run } from '../rig/process.ts';
import { builtProgram } from '../rig/program.ts';

const NAMED_DARWIN = `data:text/javascript,Object.defineProperty(process, 'platform', { value: 'darwin' })`;

async function onMac(...args: string[]) {
  const home = await mkdtemp(join(tmpdir(), 'sightline-mac-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const flags = ['--data-dir', join(home, 'data')];
  const words = ['--import', NAMED_DARWIN, builtProgram, ...args, ...flags];
  return { ...(await run(process.execPath, words, { env: { ...process.env, HOME: home } })), home };
}

it('serve ends with its code and message, and leaves nothing behind', async () => {
  const { code, stdout, stderr, home } = await onMac('serve', '--port', '0');
  expect(code).toBe(69);
  expect(stdout.toString()).toBe('');
  expect(stderr).toMatch(/^sightline: CLIENT_UNSUPPORTED_OS: Sightline does not support this .*\(darwin /mu);
  expect(stderr).toContain('records nothing on it. Use a computer with Windows or Linux.');
  expect(await readdir(home)).not.toContain('recordings');
});

it('doctor fails the check "machine"', async () => {
  const { code, stdout } = await onMac('doctor');
  expect(code).toBe(1);
  expect(stdout.toString()).toMatch(
    /^failed\s+machine: .*\n\s+-> Use a computer with Windows or Linux: .*CLIENT_UNSUPPORTED_OS/mu,
  );
});
