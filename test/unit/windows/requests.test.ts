// What each window's page may request of the main process: attacks by other senders and with other arguments.
import { describe, expect, it } from 'vitest';
import type { IndicatorRequests } from '../../../main/shared/indicatorIpc.ts';
import { INDICATOR_PAGE, indicatorArguments } from '../../../main/shared/indicatorIpc.ts';
import type { Requests, ShownState } from '../../../main/shared/ipc.ts';
import { STATUS_PAGE, requestArguments } from '../../../main/shared/ipc.ts';
import type { Handlers, Sender } from '../../../main/windows/requests.ts';
import { IpcRefusal, answer as answerRequest } from '../../../main/windows/requests.ts';

const state = { rev: 12 } as ShownState;
const asked: unknown[] = [];
const handlers: Handlers<Requests> = {
  'state.get': () => state,
  'capture.suspend': (suspended) => Promise.resolve(asked.push(suspended) > 0),
  'recordings.retry': (recordingId) => asked.push(recordingId) > 0,
  'recordings.openFolder': (recordingId) => Promise.resolve(asked.push(recordingId) > 0),
  'checks.run': () => Promise.resolve([]),
  'diagnostics.export': () => Promise.resolve({ status: 'cancelled' }),
};
const ourPage = { url: 'sightline://app/index.html', isTopFrame: true };
const answer = <C extends keyof Requests>(
  by: Handlers<Requests> | null,
  channel: C,
  sender: Sender | null,
  args: readonly unknown[],
): ReturnType<Requests[C]> =>
  answerRequest<Requests, C>({ url: STATUS_PAGE, arguments: requestArguments }, by, channel, sender, args);

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
    ['the indicator', INDICATOR_PAGE],
    ['another page of ours', 'sightline://app/other.html'],
    ['no page yet', ''],
    ['about:blank', 'about:blank'],
  ])('is refused from %s', (_what, url) => {
    expect(() => answer(handlers, 'state.get', { url, isTopFrame: true }, [])).toThrow(IpcRefusal);
  });

  it('is refused from a frame inside a page, and from one that is gone', () => {
    expect(() => answer(handlers, 'state.get', { ...ourPage, isTopFrame: false }, [])).toThrow(IpcRefusal);
    expect(() => answer(handlers, 'state.get', null, [])).toThrow(IpcRefusal);
  });

  it('is refused from a window that is not the status window, whatever its page', () => {
    asked.length = 0;
    expect(() => answer(null, 'state.get', ourPage, [])).toThrow(IpcRefusal);
    expect(() => answer(null, 'capture.suspend', ourPage, [false])).toThrow(IpcRefusal);
    expect(asked).toEqual([]);
  });

  it('is refused with arguments that the channel does not take', () => {
    expect(() => answer(handlers, 'state.get', ourPage, ['more'])).toThrow(IpcRefusal);
    expect(() => answer(handlers, 'state.get', ourPage, [undefined])).toThrow(IpcRefusal);
  });

  it('can name no other channel', () => {
    expect(Object.keys(requestArguments)).toEqual(Object.keys(handlers));
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

describe('a suspension from a window', () => {
  it.each([[['yes']], [[1]], [[]], [[true, true]], [[null]]])('is refused with %j', (args) => {
    asked.length = 0;
    expect(() => answer(handlers, 'capture.suspend', ourPage, args)).toThrow(IpcRefusal);
    expect(asked).toEqual([]);
  });
});

describe('a request from the indicator', () => {
  const ours = { url: 'sightline://app/indicator.html', isTopFrame: true };
  const called: unknown[] = [];
  const call = (...args: unknown[]): void => void called.push(args);
  const indicator: Handlers<IndicatorRequests> = {
    'indicator.get': () => null,
    'indicator.suspend': (suspended) => Promise.resolve(called.push(suspended) > 0),
    'indicator.shrink': call,
    'indicator.hide': call,
    'indicator.open': call,
    'indicator.move': call,
    'indicator.fit': call,
  };
  const request = (
    by: Handlers<IndicatorRequests> | null,
    channel: keyof IndicatorRequests,
    sender: Sender | null,
    args: readonly unknown[],
  ): unknown => {
    const page = { url: INDICATOR_PAGE, arguments: indicatorArguments };
    return answerRequest<IndicatorRequests, keyof IndicatorRequests>(page, by, channel, sender, args);
  };

  it('reaches its handler with what was asked', () => {
    called.length = 0;
    request(indicator, 'indicator.move', ours, [3, -4, true]);
    expect(called).toEqual([[3, -4, true]]);
  });

  it.each([
    ['a window that is not the indicator', null, ours],
    ['a frame that is gone', indicator, null],
    ['a frame inside the page', indicator, { ...ours, isTopFrame: false }],
    ['another page of ours', indicator, { ...ours, url: 'sightline://app/index.html' }],
    ['another host', indicator, { ...ours, url: 'sightline://other/indicator.html' }],
  ])('is refused from %s', (_what, by, sender) => {
    called.length = 0;
    for (const [channel, args] of [
      ['indicator.get', []],
      ['indicator.suspend', [false]],
      ['indicator.open', []],
    ] as const)
      expect(() => request(by, channel, sender, args)).toThrow(IpcRefusal);
    expect(called).toEqual([]);
  });

  it.each([
    ['indicator.move', [1.5, 0, true]],
    ['indicator.move', [1e9, 0, true]],
    ['indicator.move', [0, 0]],
    ['indicator.shrink', ['yes']],
    ['indicator.suspend', ['yes']],
    ['indicator.suspend', []],
    ['indicator.hide', [1]],
    ['indicator.open', ['https://connect.invalid/']],
    // Too small to be seen, or over half of the screen.
    ['indicator.fit', [1]],
    ['indicator.fit', [4000]],
  ] as const)('is refused with the wrong arguments: %s %j', (channel, args) => {
    called.length = 0;
    expect(() => request(indicator, channel, ours, args)).toThrow('wrong arguments');
    expect(called).toEqual([]);
  });
});
