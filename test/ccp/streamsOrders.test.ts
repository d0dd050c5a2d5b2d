// Orders of Streams' events, and what is recorded of each: the real library against the stand-in for Connect, the built package,
// the real recorder. After each step the recorder is asked for the state of the contact. The table of docs/ccp.md is what comes out.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NewContact } from '../rig/ccpFrame/agentState.ts';
import type { ConnectStandIn } from '../rig/ccpFrame/service.ts';
import { startStreamsDesk, type StreamsDesk, type StreamsTab } from '../rig/ccpFrame/streamsDesk.ts';

type State = 'none' | 'recording' | 'suspended';
/** A step's name for the table, what the recorder says of the contact after it, and the step. */
type Step = readonly [
  name: string,
  after: State,
  act: (connect: ConnectStandIn, contactId: string) => unknown,
];

interface Case {
  readonly name: string;
  readonly begin: (connect: ConnectStandIn) => string;
  readonly steps: readonly Step[];
  /** Recordings that come out of it; one unless told. */
  readonly recordings?: number;
}

const nothing = (): void => undefined;
const accept: Step['2'] = (connect, contactId) => connect.accept(contactId);
const end: Step['2'] = (connect, contactId) => connect.endCall(contactId);
const clear: Step['2'] = (connect, contactId) => connect.clear(contactId);
const ringing =
  (more: NewContact = {}) =>
  (connect: ConnectStandIn) =>
    connect.ring(more);

const acceptedOnly: Step['2'] = (connect, contactId) => {
  connect.connectsOnAccept = false;
  connect.accept(contactId);
};

const CASES: readonly Case[] = [
  {
    name: 'Inbound call',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['accepted', 'recording', acceptedOnly],
      ['connected', 'recording', (connect, contactId) => connect.connect(contactId)],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Inbound call on a deskphone (no onAccepted)',
    begin: ringing({ deskphone: true }),
    steps: [
      ['rings', 'none', nothing],
      ['connected', 'recording', (connect, contactId) => connect.connect(contactId)],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Hold',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['customer on hold', 'recording', (connect, contactId) => connect.hold(contactId)],
      ['resumed', 'recording', (connect, contactId) => connect.unhold(contactId)],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Missed call',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['missed', 'none', (connect, contactId) => connect.miss(contactId)],
      ['cleared', 'none', clear],
    ],
    recordings: 0,
  },
  {
    name: 'Declined call',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['rejected', 'none', (connect, contactId) => connect.reject(contactId)],
      ['cleared', 'none', clear],
    ],
    recordings: 0,
  },
  {
    name: 'Accepted, but the connection fails',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['accepted', 'recording', acceptedOnly],
      ['error', 'none', (connect, contactId) => connect.fail(contactId)],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'ENDED and ACW skipped: the contact disappears',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['destroyed', 'none', clear],
    ],
  },
  {
    name: 'Rings, is accepted and connected in one snapshot',
    begin: (connect) => {
      let contactId = '';
      connect.atOnce(() => {
        contactId = connect.ring();
        connect.connect(contactId);
      });
      return contactId;
    },
    steps: [
      ['connected', 'recording', nothing],
      [
        'ACW and cleared in one snapshot',
        'none',
        (connect, contactId) => connect.atOnce(() => (end(connect, contactId), clear(connect, contactId))),
      ],
    ],
  },
  {
    name: 'Blind transfer to another agent or queue',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['transferred: ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Transferred to this agent',
    begin: ringing({ initiationMethod: 'transfer', initialContactId: 'first-of-the-chain' }),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Consult and conference',
    begin: ringing(),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['colleague called, customer on hold', 'recording', (connect, contactId) => connect.consult(contactId)],
      ['conference', 'recording', (connect, contactId) => connect.conference(contactId)],
      ['the agent leaves: ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Outbound call',
    begin: (connect) => connect.outbound(),
    steps: [
      ['dialing', 'recording', nothing],
      ['connected', 'recording', (connect, contactId) => connect.connect(contactId)],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Outbound call, nobody answers',
    begin: (connect) => connect.outbound(),
    steps: [
      ['dialing', 'recording', nothing],
      ['error', 'none', (connect, contactId) => connect.fail(contactId)],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Queued callback',
    begin: (connect) => connect.callback(),
    steps: [
      ['offered', 'none', nothing],
      ['accepted, dialing', 'recording', accept],
      ['connected', 'recording', (connect, contactId) => connect.connect(contactId)],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Queued callback, declined',
    begin: (connect) => connect.callback(),
    steps: [
      ['offered', 'none', nothing],
      ['rejected', 'none', (connect, contactId) => connect.reject(contactId)],
      ['cleared', 'none', clear],
    ],
    recordings: 0,
  },
  {
    name: 'Chat',
    begin: (connect) => connect.chat(),
    steps: [
      ['offered', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'Task, set aside and taken up again',
    begin: (connect) => connect.task(),
    steps: [
      ['offered', 'none', nothing],
      ['accepted, connected', 'recording', accept],
      ['paused', 'none', (connect, contactId) => connect.pauseTask(contactId)],
      ['resumed', 'recording', (connect, contactId) => connect.resumeTask(contactId)],
      ['completed: ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
    recordings: 2,
  },
  {
    name: 'Email',
    begin: (connect) => connect.email(),
    steps: [
      ['offered', 'none', nothing],
      ['accepted, connected', 'none', accept],
      ['cleared', 'none', clear],
    ],
    recordings: 0,
  },
  {
    name: 'Supervisor listens in',
    begin: (connect) => connect.monitor(),
    steps: [
      ['connected', 'none', nothing],
      ['cleared', 'none', clear],
    ],
    recordings: 0,
  },
  {
    name: 'The flow does not ask for recording',
    begin: ringing({ record: false }),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'none', accept],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
    recordings: 0,
  },
  {
    name: 'The flow switches recording on, and off again',
    begin: ringing({ record: false }),
    steps: [
      ['accepted, connected', 'none', accept],
      [
        'switched on',
        'recording',
        (connect, contactId) => connect.setScreenRecordingEnabled(contactId, true),
      ],
      ['switched off', 'none', (connect, contactId) => connect.setScreenRecordingEnabled(contactId, false)],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'The flow suspends and resumes',
    begin: ringing(),
    steps: [
      ['accepted, connected', 'recording', accept],
      [
        '`SUSPENDED`',
        'suspended',
        (connect, contactId) => connect.setScreenRecordingState(contactId, 'SUSPENDED'),
      ],
      [
        'no value any more',
        'suspended',
        (connect, contactId) => connect.setScreenRecordingState(contactId, undefined),
      ],
      ['`ACTIVE`', 'recording', (connect, contactId) => connect.setScreenRecordingState(contactId, 'ACTIVE')],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'The flow has suspended before the acceptance',
    begin: ringing({ features: { screenRecordingEnabled: true, screenRecordingState: 'SUSPENDED' } }),
    steps: [
      ['rings', 'none', nothing],
      ['accepted, connected', 'suspended', accept],
      [
        '`RECORDING`',
        'recording',
        (connect, contactId) => connect.setScreenRecordingState(contactId, 'RECORDING', 'features'),
      ],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
  {
    name: 'The flow sets a value that nobody knows',
    begin: ringing(),
    steps: [
      ['accepted, connected', 'recording', accept],
      [
        '`SOMETHING_NEW`',
        'suspended',
        (connect, contactId) => connect.setScreenRecordingState(contactId, 'SOMETHING_NEW'),
      ],
      [
        '`ENABLED`',
        'recording',
        (connect, contactId) => connect.setScreenRecordingState(contactId, 'ENABLED'),
      ],
      ['ACW', 'none', end],
      ['cleared', 'none', clear],
    ],
  },
];

let desk: StreamsDesk;
let tab: StreamsTab;

beforeAll(async () => {
  desk = await startStreamsDesk();
  tab = await desk.open();
});
afterAll(() => desk.stop());
afterEach(() => {
  desk.connect.connectsOnAccept = true;
  // What a failed case has left.
  for (const contactId of [...desk.connect.contacts.keys()]) desk.connect.clear(contactId);
});

describe('what is recorded', () => {
  it.each(CASES)('$name', async ({ begin, steps, recordings = 1 }) => {
    const contactId = begin(desk.connect);
    for (const [name, after, act] of steps) {
      act(desk.connect, contactId);
      await tab.settled();
      // A resume may wait for other tabs, and a stop for the end of the recording.
      await expect
        .poll(() => desk.stateOf(contactId), { message: `after “${name}”`, interval: 20 })
        .toBe(after);
    }
    const completed = async () => (await desk.statuses(contactId)).filter((status) => status === 'COMPLETED');
    await expect.poll(completed, { interval: 20 }).toHaveLength(recordings);
    const statuses = await desk.statuses(contactId);
    expect(statuses.filter((status) => status === 'INITIATED')).toHaveLength(recordings);
    expect(statuses).not.toContain('FAILED');
  });

  it('is in docs/ccp.md as it is here', async () => {
    const docs = await readFile(fileURLToPath(new URL('../../docs/ccp.md', import.meta.url)), 'utf8');
    const lines = docs.split('\n');
    const first = lines.findIndex((line) => /^\| contact +\| steps/.test(line)) + 2;
    const rows = lines.slice(first, lines.indexOf('', first)).map(cellsOf);
    const expected = table();
    const asText = expected.map((row) => `| ${row.join(' | ')} |`).join('\n');
    expect(rows, `docs/ccp.md must have this table:\n${asText}`).toEqual(expected);
  });
});

/** Bold: the recorder says that the contact is recorded after this step. In italics: it is suspended. */
function table(): string[][] {
  const marked = {
    none: (name: string) => name,
    recording: (name: string) => `**${name}**`,
    suspended: (name: string) => `_${name}_`,
  };
  return CASES.map(({ name, steps }) => [
    name,
    steps.map(([step, after]) => marked[after](step)).join(' → '),
  ]);
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
