// Which session of the spool records now.
import { describe, expect, it } from 'vitest';
import { CurrentSpoolSession } from '../../../main/spool/currentSession.ts';
import { entry, recording } from '../support/journalEntries.ts';
import { openedSession, testKeys } from '../support/keys.ts';
import { append, closedAfterTest, newSpool } from '../support/spool.ts';

const keys = testKeys();

describe('the current session', () => {
  it('is opened by its first record, and knows which session contains a recording until it is forgotten', async () => {
    const current = new CurrentSpoolSession((await newSpool(keys)).spool);
    await current.append(entry.started('one', 1000));
    const session = closedAfterTest(current.session());
    expect(current.sessionOf('one')).toBe(session);
    current.forget('one');
    expect(current.sessionOf('one')).toBeUndefined();
  });

  it('continues a recovered session', async () => {
    const { spool } = await newSpool(keys);
    const session = closedAfterTest(await openedSession(spool));
    await append(session, recording('one', 5000, null));
    const current = new CurrentSpoolSession(spool);
    current.continueIn(session);
    expect(current.session()).toBe(session);
    expect(current.sessionOf('one')).toBe(session);
  });

  it('ends with its folder when nothing in it is wanted any more', async () => {
    const current = new CurrentSpoolSession((await newSpool(keys)).spool);
    await current.append(entry.started('one', 1000));
    await current.append(entry.failed('one'));
    await current.append(entry.announced('one', 'FAILED'));
    await current.end(Promise.resolve());
    // What comes next gets a new folder.
    await current.append(entry.started('two', 2000));
    expect(closedAfterTest(current.session()).ledger.recordings.has('one')).toBe(false);
  });
});
