// Slates and badges without a recording: what they say, how they look, what is kept of them.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FfmpegFinder } from '../../../main/capture/ffmpegBinary.ts';
import type { Masks } from '../../../main/capture/masks.ts';
import { loadMasks } from '../../../main/capture/masks.ts';
import { badgeOverlay, slateImage } from '../../../main/capture/slateImage.ts';
import { badgeText, slateTexts } from '../../../main/shared/slateTexts.ts';
import { Slates } from '../../../main/capture/slates.ts';
import { spawnForCapture } from '../../../main/capture/spawnFfmpeg.ts';
import { singleFrame } from '../../../main/media/decoderConfig.ts';
import { isKeyFrame } from '../../../main/media/h264.ts';
import { findResourcesFolder } from '../../../main/platform/paths.ts';
import type { GapFacts } from '../../../main/shared/names.ts';
import { gapReasonSchema } from '../../../main/shared/names.ts';
import { ffmpegPath } from '../support/fragmentedMp4.ts';
import { temporaryFolder } from '../support/folders.ts';

const FROM = Date.parse('2026-11-29T23:59:58.900Z');
const gap: GapFacts = {
  ...{ reason: 'suspended', from: FROM, to: FROM + 3450, by: 'page', endedBy: 'page', text: 'card number' },
};
const size = { width: 640, height: 360 };
let masks: Masks;

beforeAll(async () => {
  masks = await loadMasks(join(findResourcesFolder(), 'slates'));
});

describe('the texts of a slate', () => {
  it('say who suspended the recording, why, since when, for how long and what ended it', () => {
    expect(slateTexts(gap, 'card number')).toEqual({
      title: 'Recording suspended',
      lines: ['Nothing was captured during this time.', 'Suspended by the page: “card number”'],
      since: 'Since 2026-11-29 23:59:58 UTC, for 3.4 s. Resumed by the page.',
    });
    expect(slateTexts({ ...gap, by: 'agent', endedBy: 'time-limit' }, null)).toMatchObject({
      lines: [expect.anything(), 'Suspended by the agent.'],
      since: 'Since 2026-11-29 23:59:58 UTC, for 3.4 s. Ended by the time limit.',
    });
  });

  it('say nothing of an end where another gap follows, and so at the end of the recording', () => {
    const { endedBy: _, ...followed } = gap;
    expect(slateTexts(followed, null).since).toBe('Since 2026-11-29 23:59:58 UTC, for 3.4 s');
    expect(slateTexts({ ...gap, endedBy: null }, null).since).toMatch(/Until the end of the recording\.$/);
  });

  it.each([
    [999, '0.9 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min 0 s'],
    [3_599_999, '59 min 59 s'],
    [3_725_000, '1 h 2 min'],
  ])('a length of %d ms is "%s", never rounded up', (ms, text) => {
    expect(slateTexts({ ...gap, to: FROM + ms }, null).since).toContain(`for ${text}.`);
  });

  it('are there for every reason, in letters that the masks have', () => {
    for (const reason of gapReasonSchema.options) {
      const { title, lines, since } = slateTexts({ ...gap, reason }, 'ok');
      expect(Array.from(title).filter((one) => !masks.title.has(one))).toEqual([]);
      expect(Array.from([...lines, since].join('')).filter((one) => !masks.text.has(one))).toEqual([]);
      expect(masks.icons.has(reason)).toBe(true);
    }
  });

  it('of a badge name each reason once, with the length of all gaps', () => {
    const next = { reason: 'locked', from: gap.to, to: gap.to + 500 } as const;
    expect(badgeText([{ ...gap, to: FROM + 640 }])).toBe('Suspended 0.6 s');
    expect(badgeText([{ ...gap, to: FROM + 600 }, next, { ...next, reason: 'suspended' }])).toBe(
      'Suspended, Screen locked 1.6 s',
    );
  });
});

describe("a page's own text", () => {
  const drawn = (text: string | null): Buffer => slateImage(masks, size, { ...gap, text }).data;

  it('is drawn as one line: unknown characters are "?", white space is a space', () => {
    expect(drawn('a\u0000\r\n\t b').equals(drawn('a b'))).toBe(true);
    expect(drawn('漢字 card 💳').equals(drawn('?? card ?'))).toBe(true);
    // Direction marks and combining characters cannot reorder or cover what follows.
    expect(drawn('\u202Ecard\u2066').equals(drawn('card'))).toBe(true);
    expect(drawn('cafe\u0301').equals(drawn('café'))).toBe(true);
  });

  it('is cut off after 60 characters, however long it is', () => {
    const long = 'w'.repeat(60);
    expect(drawn(long).equals(drawn(`${long}w`))).toBe(false);
    expect(drawn(`${long}w`).equals(drawn(`${'w'.repeat(59)}…`))).toBe(true);
    expect(drawn('w'.repeat(100_000)).equals(drawn(`${long}w`))).toBe(true);
  });

  it('is left out where nothing of it can be shown', () => {
    for (const text of ['', ' \n', '漢字', '<>?', '💳']) expect(drawn(text).equals(drawn(null))).toBe(true);
  });
});

describe('an image', () => {
  it('is drawn in every size, also where no text can be read', () => {
    for (const [width, height] of [
      [2, 2],
      [16, 720],
      [160, 96],
      [4096, 2304],
    ] as const)
      expect(slateImage(masks, { width, height }, gap).data).toHaveLength(width * height * 1.5);
  });

  it('of a badge consists of whole macroblocks at the bottom, in the middle', () => {
    for (const [width, height] of [
      [640, 360],
      [1280, 720],
      [1920, 1080],
      [5760, 1080],
    ] as const) {
      const { image, x, y } = badgeOverlay(masks, { width, height, gaps: [gap] });
      expect([image.width % 16, image.height % 16, x % 16, y % 16]).toEqual([0, 0, 0, 0]);
      expect(y + image.height).toBeLessThanOrEqual(height);
      expect(y).toBeGreaterThan(height * 0.75);
      expect(Math.abs(x + image.width / 2 - width / 2)).toBeLessThanOrEqual(16);
      expect(image.width * image.height).toBeLessThan(width * height * 0.08);
    }
  });

  it('needs its files: damaged ones are an error', async () => {
    await expect(loadMasks(await temporaryFolder())).rejects.toThrow('ENOENT');
  });
});

describe('slates', () => {
  function counted() {
    let spawned = 0;
    const slates = new Slates({
      finder: new FfmpegFinder({ ffmpegPath: ffmpegPath(), encoder: 'auto' }, ''),
      spawn: (path, args) => {
        spawned += 1;
        return spawnForCapture(path, args);
      },
      resourcesFolder: findResourcesFolder(),
      policy: { quality: 'balanced' },
    });
    return { slates, spawned: () => spawned };
  }

  it('are one key frame each, encoded once for the same content', async () => {
    const { slates, spawned } = counted();
    const order = { ...gap, ...size, fps: 5, encoder: 'libx264' as const };
    const one = await slates.make(order);
    const { config, data } = await singleFrame(one);
    expect(config).toMatchObject({ codedWidth: 640, codedHeight: 360 });
    expect(isKeyFrame(data)).toBe(true);
    expect(await slates.make(order)).toBe(one);
    expect(spawned()).toBe(1);
    const other = await slates.make({ ...order, to: order.to + 1000 });
    expect(other.equals(one)).toBe(false);
    expect(spawned()).toBe(2);
  });

  it('that cannot be made say why, and are tried again', async () => {
    const { slates, spawned } = counted();
    const order = { ...gap, ...size, fps: 5, encoder: 'h264_mf' as const };
    await expect(slates.make(order)).rejects.toThrow('The slate "suspended" could not be made: ');
    await expect(slates.make(order)).rejects.toThrow('The slate "suspended" could not be made: ');
    expect(spawned()).toBe(2);
  });
});
