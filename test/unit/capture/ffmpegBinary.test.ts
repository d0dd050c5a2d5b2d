import { access, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FfmpegBinary } from '../../../main/capture/ffmpegBinary.ts';
import {
  FfmpegFinder,
  chooseEncoder,
  parseEncoders,
  parseVersion,
} from '../../../main/capture/ffmpegBinary.ts';
import { SightlineError } from '../../../main/shared/errors.ts';
import { temporaryFolder } from '../support/folders.ts';
import { ffmpegPath } from '../support/fragmentedMp4.ts';
import { containing } from '../support/matchers.ts';
import { encoders5, encoders8 } from './ffmpegLines.ts';

const binary = (...encoders: FfmpegBinary['encoders']): FfmpegBinary => ({
  path: 'ffmpeg',
  origin: 'PATH',
  version: '8.1.2',
  encoders,
  isPatched: false,
});

describe('the version', () => {
  it.each([
    ['ffmpeg version 8.1.2 Copyright (c) 2000-2026 the FFmpeg developers\nbuilt with gcc 12', '8.1.2'],
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers', '5.1.9-0+deb12u1'],
    ['ffmpeg version n7.1-dev-2208-g123 Copyright (c)', 'n7.1-dev-2208-g123'],
    ['avconv version 11', 'unknown'],
    ['', 'unknown'],
  ])('of %j is %s', (output, version) => {
    expect(parseVersion(output)).toBe(version);
  });
});

describe('the encoders', () => {
  it('are ours out of everything that ffmpeg lists', () => {
    expect(parseEncoders(encoders8)).toEqual(['libopenh264']);
    expect(parseEncoders(encoders5)).toEqual(['libx264']);
    expect(parseEncoders('')).toEqual([]);
  });

  it('come best first, in whatever order ffmpeg lists them', () => {
    const listed = ['libx264', 'h264_mf', 'libopenh264'];
    const output = listed.map((name) => ` V....D ${name.padEnd(20)} H.264`).join('\n');
    expect(parseEncoders(output)).toEqual(['libopenh264', 'libx264', 'h264_mf']);
  });

  it('are not found in descriptions, in longer names or among decoders of sound', () => {
    expect(parseEncoders(' V....D other                like libx264 but better')).toEqual([]);
    expect(parseEncoders(' V....D libx264rgb           RGB')).toEqual([]);
    expect(parseEncoders(' A....D libx264              sound')).toEqual([]);
  });
});

describe('the choice of the encoder', () => {
  it('is libopenh264 without a word when it is there', () => {
    for (const wanted of ['auto', 'libopenh264'] as const) {
      const chosen = chooseEncoder(binary('libopenh264', 'libx264'), wanted);
      expect(chosen).toMatchObject({ encoder: 'libopenh264', warning: null });
    }
  });

  it('falls back to the next best with a warning that names it', () => {
    const chosen = chooseEncoder(binary('libx264', 'h264_mf'), 'auto');
    expect(chosen.encoder).toBe('libx264');
    expect(chosen.warning).toContain('libx264 instead of libopenh264');
  });

  it('takes a named one even when there is a better one', () => {
    expect(chooseEncoder(binary('libopenh264', 'h264_mf'), 'h264_mf').encoder).toBe('h264_mf');
  });

  it('takes no other one for a named one that is missing', () => {
    const choose = (): unknown => chooseEncoder(binary('libx264'), 'libopenh264');
    expect(choose).toThrow(SightlineError);
    expect(choose).toThrow('ffmpeg (ffmpeg 8.1.2) has no libopenh264. ');
  });

  it('is an error where there is none at all', () => {
    expect(() => chooseEncoder(binary(), 'auto')).toThrow('has no H.264 encoder that can be used');
  });
});

describe('the search for ffmpeg', () => {
  it('finds the one that policy names, with its version and its encoders', async () => {
    const path = ffmpegPath();
    const finder = new FfmpegFinder({ ffmpegPath: path, encoder: 'auto' }, '');
    expect(finder.current).toBeNull();
    const found = await finder.find();
    expect(found.binary).toMatchObject({ path, origin: 'policy' });
    expect(found.binary.version).toMatch(/^n?\d+\.\d+/);
    expect(found.binary.encoders).toContain(found.encoder);
    expect(finder.current).toBe(found);
  });

  it('remembers what it has found', async () => {
    const finder = new FfmpegFinder({ ffmpegPath: ffmpegPath(), encoder: 'auto' }, '');
    expect(await finder.find()).toBe(await finder.find());
  });

  it('takes Sightline’s own before the one on PATH', async () => {
    const resourcesFolder = await temporaryFolder();
    const folder = join(resourcesFolder, 'ffmpeg', `${process.platform}-${process.arch}`);
    await mkdir(folder, { recursive: true });
    await symlink(ffmpegPath(), join(folder, 'ffmpeg'));
    const { binary: found } = await new FfmpegFinder(
      { ffmpegPath: null, encoder: 'auto' },
      resourcesFolder,
    ).find();
    expect(found).toMatchObject({ path: join(folder, 'ffmpeg'), origin: 'resources' });
  });

  it('finds one without policy and without Sightline’s own', async () => {
    const resourcesFolder = await temporaryFolder();
    const { binary: found } = await new FfmpegFinder(
      { ffmpegPath: null, encoder: 'auto' },
      resourcesFolder,
    ).find();
    expect(['ffmpeg-static', 'PATH']).toContain(found.origin);
  });

  it('takes no other one when the one that policy names is missing, and says which that is', async () => {
    const path = join(await temporaryFolder(), 'ffmpeg');
    const finder = new FfmpegFinder({ ffmpegPath: path, encoder: 'auto' }, '');
    await expect(finder.find()).rejects.toMatchObject({
      code: 'ENCODER_UNAVAILABLE',
      message: containing(`${path} (not there, or not executable)`),
    });
    expect(finder.current).toBeNull();
  });

  it('takes no other one when the one that policy names is no ffmpeg', async () => {
    const path = join(await temporaryFolder(), 'ffmpeg');
    await writeFile(path, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const finder = new FfmpegFinder({ ffmpegPath: path, encoder: 'auto' }, '');
    await expect(finder.find()).rejects.toMatchObject({
      code: 'ENCODER_UNAVAILABLE',
      message: containing(path),
    });
  });

  it('looks again after a failure', async () => {
    const path = join(await temporaryFolder(), 'ffmpeg');
    const finder = new FfmpegFinder({ ffmpegPath: path, encoder: 'auto' }, '');
    await expect(finder.find()).rejects.toMatchObject({ code: 'ENCODER_UNAVAILABLE' });
    await symlink(ffmpegPath(), path);
    expect((await finder.find()).binary.path).toBe(path);
  });
});

it('an ffmpeg in the current folder is not tried, whatever PATH says', async () => {
  const folder = await temporaryFolder();
  const tried = join(folder, 'tried');
  await writeFile(join(folder, 'ffmpeg'), `#!/bin/sh\ntouch ${tried}\n`, { mode: 0o755 });
  const [before, path] = [process.cwd(), process.env.PATH];
  process.chdir(folder);
  process.env.PATH = `.::${path ?? ''}`;
  try {
    const finder = new FfmpegFinder({ ffmpegPath: null, encoder: 'auto' }, folder);
    await finder.find().catch(() => undefined);
    await expect(access(tried)).rejects.toThrow('ENOENT');
  } finally {
    process.chdir(before);
    process.env.PATH = path;
  }
});
