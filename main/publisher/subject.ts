// Contact, agent and recording that a recording's status events name.

import type { SpoolSession } from '../spool/spool.ts';
import type { Subject } from '../status/statusEvents.ts';

export function subjectOf(session: SpoolSession, recordingId: string): Subject {
  const started = session.ledger.recordings.get(recordingId)?.started;
  if (started === undefined) throw new Error(`The spool knows no recording ${recordingId}.`);
  const { agentArn, instanceArn, browser } = started.agent;
  return { recordingId, contactId: started.contact.contactId, agentArn, instanceArn, browser };
}
