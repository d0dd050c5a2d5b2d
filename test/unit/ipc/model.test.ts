import { describe, expect, it } from 'vitest';
import { IpcRefusal, answer, requestChannels } from '../../../main/ipc/model.ts';
import type { Handlers } from '../../../main/ipc/model.ts';
import type { ShownState } from '../../../main/shared/ipc.ts';

const state = { rev: 12 } as ShownState;
const asked: unknown[] = [];
const handlers: Handlers = {
  'state.get': () => state,
  'recordings.retry': (recordingId) => asked.push(recordingId) > 0,
  'recordings.openFolder': (recordingId) => Promise.resolve(asked.push(recordingId) > 0),
  'checks.run': () => Promise.resolve([]),
  'diagnostics.export': () => Promise.resolve({ status: 'cancelled' }),
};
const ourPage = { url: 'sightline://app/index.html', isTopFrame: true };

describe('a request from a window', () => {
  it('is answered when it comes from one of our pages', () => {
    expect(answer(handlers, 'state.get', ourPage, [])).toBe(state);
  });

  it.each([
    ['another scheme', 'https://app/index.html'],
    ['a file', 'file:///index.html'],
    ['another host of our scheme', 'sightline://other/index.html'],
    ['a host that only begins like ours', 'sightline://app.example.com/index.html'],
    ['our host as a user name', 'sightline://app@example.com/'],
    ['our root inside another URL', 'https://example.com/?sightline://app/'],
    ['no page yet', ''],
    ['about:blank', 'about:blank'],
  ])('is refused from %s', (_what, url) => {
    expect(() => answer(handlers, 'state.get', { url, isTopFrame: true }, [])).toThrow(IpcRefusal);
  });

  it('is refused from a frame inside a page, and from one that is gone', () => {
    expect(() => answer(handlers, 'state.get', { ...ourPage, isTopFrame: false }, [])).toThrow(IpcRefusal);
    expect(() => answer(handlers, 'state.get', null, [])).toThrow(IpcRefusal);
  });

  it('is refused with arguments that the channel does not take', () => {
    expect(() => answer(handlers, 'state.get', ourPage, ['more'])).toThrow(IpcRefusal);
    expect(() => answer(handlers, 'state.get', ourPage, [undefined])).toThrow(IpcRefusal);
  });

  it('can name no other channel', () => {
    expect(requestChannels).toEqual(Object.keys(handlers));
  });

  it('reaches its handler with what was asked', () => {
    expect(answer(handlers, 'recordings.retry', ourPage, ['r-1'])).toBe(true);
    expect(asked).toEqual(['r-1']);
  });

  it.each([
    ['nothing', []],
    ['no text', [7]],
    ['an empty name', ['']],
    ['an endless name', ['x'.repeat(129)]],
    ['a list', [['r-1']]],
    ['an object', [{ toString: 'r-1' }]],
    ['one name too many', ['r-1', 'r-2']],
  ])('for a retry is refused with %s', (_what, args) => {
    asked.length = 0;
    expect(() => answer(handlers, 'recordings.retry', ourPage, args)).toThrow(IpcRefusal);
    expect(asked).toEqual([]);
  });
});
