import { afterEach, expect, it, vi } from 'vitest';
import { X11Display } from '../../../main/capture/x11Display.ts';
import { containing } from '../support/matchers.ts';
import { temporaryFolder } from '../support/folders.ts';

afterEach(() => vi.unstubAllEnvs());

it('an X authority file that cannot be read is a missing display, and not the end of the process', async () => {
  // A folder cannot be read as a file, by root neither.
  const folder = await temporaryFolder();
  vi.stubEnv('XAUTHORITY', folder);
  const listener = { changed: () => undefined, gone: () => undefined };
  await expect(X11Display.connect(':99', listener)).rejects.toMatchObject({
    code: 'NO_DISPLAY',
    message: containing(`${folder} cannot be read (EISDIR)`),
  });
});
