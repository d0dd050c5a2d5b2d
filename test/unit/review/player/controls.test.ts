// The player's pure parts about what a reviewer does: keys, zoom, audio in sync, notes of two people.
import { describe, expect, it } from 'vitest';
import { syncAction, type SyncInput } from '../../../../review/page/src/player/model/audioSync.ts';
import { commandOf, SPEEDS, speedFrom } from '../../../../review/page/src/player/model/keys.ts';
import { mergeNotes } from '../../../../review/page/src/player/model/notesMerge.ts';
import { NO_ZOOM, panBy, place, zoomAt } from '../../../../review/page/src/player/model/zoom.ts';

const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

describe('keys', () => {
  it('are those of YouTube', () => {
    expect(commandOf({ ...plain, key: 'K' })).toEqual({ do: 'toggle' });
    expect(commandOf({ ...plain, key: '7' })).toEqual({ do: 'seek-to', share: 0.7 });
    expect(commandOf({ ...plain, key: ',' })).toEqual({ do: 'step', frames: -1 });
  });
  it('leave the browser its own', () => {
    expect(commandOf({ ...plain, ctrlKey: true, key: 'f' })).toBeNull();
    expect(commandOf({ ...plain, key: 'constructor' })).toBeNull();
    expect(commandOf({ ...plain, key: 'Tab' })).toBeNull();
  });
  it('change the speed by steps, to 16 times at most', () => {
    expect(speedFrom(1, 1)).toBe(1.25);
    expect(speedFrom(16, 1)).toBe(16);
    expect(speedFrom(0.5, -1)).toBe(0.5);
    expect(Math.max(...SPEEDS)).toBe(16);
  });
});

describe('zoom', () => {
  const stage = { width: 800, height: 450 };
  const right = { x: 800, y: 0, width: 800, height: 450 };

  it('fills the stage with a monitor', () => {
    expect(place(right, stage, NO_ZOOM)).toEqual({ scale: 1, x: -800, y: 0 });
    expect(place({ x: 0, y: 0, width: 1600, height: 450 }, stage, NO_ZOOM)).toEqual({
      scale: 0.5,
      x: 0,
      y: 112.5,
    });
  });
  it('keeps the point under the pointer', () => {
    const zoom = zoomAt(NO_ZOOM, 2, { x: 600, y: 225 }, right, stage);
    const { scale, x } = place(right, stage, zoom);
    expect((600 - x) / scale).toBeCloseTo(1400);
  });
  it('stays inside of what is shown', () => {
    const zoom = panBy(zoomAt(NO_ZOOM, 2, { x: 400, y: 225 }, right, stage), 10_000, -10_000, right, stage);
    expect(zoom).toEqual({ factor: 2, centerX: 0.25, centerY: 0.75 });
    expect(zoomAt(zoom, 0.01, { x: 0, y: 0 }, right, stage)).toEqual(NO_ZOOM);
  });
});

describe('audio', () => {
  const playing: SyncInput = {
    ...{ videoMs: 10_000, audioMs: 9500, offsetMs: -500, audioDurationMs: 60_000, rate: 1 },
    ...{ isPlaying: true, isAudioPlaying: true, isAudioSeeking: false, sinceSeekMs: Infinity },
  };
  it('is left alone where it is in time', () => {
    expect(syncAction(playing)).toEqual({ do: 'rate', rate: 1 });
    expect(syncAction({ ...playing, audioMs: 9508 })).toEqual({ do: 'rate', rate: 1 });
  });
  it('is a little faster or slower where it is a little off', () => {
    expect(syncAction({ ...playing, audioMs: 9460 })).toEqual({ do: 'rate', rate: 1.05 });
    expect(syncAction({ ...playing, rate: 2, audioMs: 9700 })).toEqual({ do: 'rate', rate: 2 * 0.94 });
  });
  it('seeks where it is far off, but not again before the last seek has ended', () => {
    expect(syncAction({ ...playing, audioMs: 5000 })).toEqual({ do: 'seek', toMs: 9500 });
    expect(syncAction({ ...playing, audioMs: 5000, sinceSeekMs: 100 })).toEqual({ do: 'nothing' });
    expect(syncAction({ ...playing, audioMs: 5000, isAudioSeeking: true })).toEqual({ do: 'nothing' });
  });
  it('pauses with the video, before its own start, after its end, and above four times', () => {
    for (const change of [{ isPlaying: false }, { videoMs: 400 }, { videoMs: 61_000 }, { rate: 8 }])
      expect(syncAction({ ...playing, ...change })).toEqual({ do: 'pause' });
    expect(syncAction({ ...playing, isPlaying: false, isAudioPlaying: false })).toEqual({ do: 'nothing' });
  });
  it('begins where the video is', () => {
    expect(syncAction({ ...playing, isAudioPlaying: false })).toEqual({ do: 'play' });
    expect(syncAction({ ...playing, isAudioPlaying: false, audioMs: 0 })).toEqual({ do: 'seek', toMs: 9500 });
  });
});

describe('notes of two people', () => {
  const note = (id: string, text: string, author = 'ann') => ({
    ...{ id, atMs: 5, text, score: null, author, changedAt: '2026-03-02T09:00:00.000Z' },
  });
  it('are merged where they are different ones', () => {
    const merged = mergeNotes(
      [note('a', 'old'), note('b', 'old')],
      [note('a', 'mine'), note('b', 'old'), note('c', 'mine')],
      [note('a', 'old', 'bob'), note('d', 'theirs')],
    );
    expect(merged.conflicts).toEqual([]);
    expect(merged.entries.map(({ id, text }) => `${id} ${text}`).sort()).toEqual([
      'a mine',
      'c mine',
      'd theirs',
    ]);
  });
  it('are a conflict where both changed the same one, or one removed it', () => {
    const merged = mergeNotes(
      [note('a', 'old'), note('b', 'old')],
      [note('a', 'mine')],
      [note('a', 'theirs'), note('b', 'new')],
    );
    expect(merged.entries).toEqual([]);
    expect(merged.conflicts.map(({ id, mine, theirs }) => [id, mine?.text, theirs?.text])).toEqual([
      ['a', 'mine', 'theirs'],
      ['b', undefined, 'new'],
    ]);
  });
  it('are no conflict where both wrote the same', () => {
    expect(mergeNotes([], [note('a', 'same')], [note('a', 'same', 'bob')])).toEqual({
      entries: [note('a', 'same', 'bob')],
      conflicts: [],
    });
  });
});
