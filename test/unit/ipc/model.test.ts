import { describe, expect, it } from 'vitest';
import { IpcRefusal, answer, requestChannels, shownState } from '../../../main/ipc/model.ts';
import type { ShownState } from '../../../main/shared/ipc.ts';
import type { AppStatePush } from '../../../main/shared/protocol.ts';

const push: AppStatePush = {
  type: 'app.state',
  rev: 12,
  state: 'recording',
  contacts: [{ contactId: 'c-1', recordingId: 'r-1', state: 'recording' }],
  uploads: { pending: 1, failed: 0, reason: null },
  reason: null,
};
const inWords = {
  icon: 'recording',
  words: 'Recording 1 contact',
  detail: null,
  uploads: 'Delivering 1 recording',
} as const;
const about = { version: '1.2.3', port: 5431, encoder: 'libopenh264' } as const;
const state: ShownState = shownState(push, inWords, about);
const handlers = { 'state.get': () => state };
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
    expect(requestChannels).toEqual(['state.get']);
  });
});

describe('the state for windows', () => {
  it('carries the revision, the words and the contacts', () => {
    expect(state).toEqual({ rev: 12, state: 'recording', inWords, contacts: push.contacts, about });
  });

  it('survives the way to another process', () => {
    expect(structuredClone(state)).toEqual(state);
  });
});
