import { describe, expect, it } from 'vitest';
import type { Push } from '../../../main/shared/protocol.ts';
import type { StatusEvent } from '../../../main/shared/statusEvent.ts';
import { StatusHub } from '../../../main/status/hub.ts';

const event = { id: 'event-1' } as StatusEvent; // the hub passes it on as it is
const contact = { contactId: 'A', recordingId: 'rec-A', state: 'recording' } as const;

function listening(): { hub: StatusHub; pushes: Push[] } {
  const hub = new StatusHub();
  const pushes: Push[] = [];
  hub.subscribe((push) => pushes.push(push));
  return { hub, pushes };
}

describe('the revision', () => {
  it('rises by exactly one with each push of any kind', () => {
    const { hub, pushes } = listening();
    const first = hub.rev;
    hub.update({ state: 'starting' });
    hub.pushEvent(event);
    hub.update({ uploads: { pending: 1, failed: 0, reason: null } });
    hub.pushEvent(event);
    expect(pushes.map((push) => push.rev)).toEqual([1, 2, 3, 4].map((n) => first + n));
    expect(hub.rev).toBe(first + 4);
  });

  it('is the same for everybody who listens', () => {
    const { hub, pushes } = listening();
    const others: Push[] = [];
    hub.subscribe((push) => others.push(push));
    hub.update({ state: 'recording' });
    hub.pushEvent(event);
    expect(others).toEqual(pushes);
  });

  it('does not rise for the same state again', () => {
    const { hub, pushes } = listening();
    hub.update({ state: 'recording', contacts: [contact] });
    const { rev } = hub;
    hub.update({ state: 'recording', contacts: [{ ...contact }] });
    hub.update({});
    expect(hub.rev).toBe(rev);
    expect(pushes).toHaveLength(1);
  });

  it('rises without listeners, so that a page notices that it missed something', () => {
    const hub = new StatusHub();
    const first = hub.rev;
    hub.update({ state: 'recording' });
    expect(hub.rev).toBe(first + 1);
  });
});

describe('the state', () => {
  it('is idle before anything has happened', () => {
    const hub = new StatusHub();
    expect(hub.state).toEqual({
      type: 'app.state',
      rev: hub.rev,
      state: 'idle',
      contacts: [],
      uploads: { pending: 0, failed: 0, reason: null },
      reason: null,
    });
  });

  it('keeps what a change does not name', () => {
    const { hub, pushes } = listening();
    hub.update({ state: 'recording', contacts: [contact] });
    hub.update({ uploads: { pending: 2, failed: 1, reason: null } });
    expect(pushes.at(-1)).toEqual({
      type: 'app.state',
      rev: hub.rev,
      state: 'recording',
      contacts: [contact],
      uploads: { pending: 2, failed: 1, reason: null },
      reason: null,
    });
    expect(hub.state).toEqual(pushes.at(-1));
  });

  it('a suspension that ended automatically is pushed, with a new revision', () => {
    const { hub, pushes } = listening();
    const before = hub.rev;
    hub.pushResumed({
      contactId: 'A',
      resumedAt: Date.parse('2026-01-01T00:00:00.000Z'),
      cause: 'time-limit',
    });
    expect(pushes).toEqual([
      {
        ...{ type: 'contact.resumed', rev: before + 1, contactId: 'A', cause: 'time-limit' },
        resumedAt: '2026-01-01T00:00:00.000Z',
      },
    ]);
  });

  it('is pushed for each change, in order', () => {
    const { hub, pushes } = listening();
    for (const state of ['starting', 'recording', 'suspended', 'recording', 'idle'] as const) {
      hub.update({ state });
    }
    expect(pushes.map((push) => push.type === 'app.state' && push.state)).toEqual([
      'starting',
      'recording',
      'suspended',
      'recording',
      'idle',
    ]);
  });
});

describe('an event', () => {
  it('is pushed exactly as the sinks get it', () => {
    const { hub, pushes } = listening();
    hub.pushEvent(event);
    expect(pushes).toEqual([{ type: 'recording.status', rev: hub.rev, event }]);
  });

  it('leaves the state as it is, and is pushed again when it comes again', () => {
    const { hub, pushes } = listening();
    hub.pushEvent(event);
    hub.pushEvent(event);
    expect(pushes).toHaveLength(2);
    expect(hub.state).toMatchObject({ state: 'idle', rev: hub.rev });
  });
});

describe('a listener', () => {
  it('hears nothing any more once it has ended it', () => {
    const hub = new StatusHub();
    const pushes: Push[] = [];
    const end = hub.subscribe((push) => pushes.push(push));
    hub.update({ state: 'starting' });
    end();
    end();
    hub.update({ state: 'recording' });
    hub.pushEvent(event);
    expect(pushes).toHaveLength(1);
  });
});

describe('the age of the state', () => {
  it('begins when the state changes, not with every push', () => {
    let now = 1000;
    const hub = new StatusHub(undefined, () => now);
    expect(hub.stateSince).toBe(1000);
    now = 2000;
    hub.update({ state: 'suspended' });
    now = 3000;
    hub.update({ uploads: { pending: 1, failed: 0, reason: null } });
    hub.pushEvent(event);
    hub.update({ state: 'suspended' });
    expect(hub.stateSince).toBe(2000);
    hub.update({ state: 'recording' });
    expect(hub.stateSince).toBe(3000);
  });
});
