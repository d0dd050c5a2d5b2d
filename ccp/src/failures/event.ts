// The event that the page posts: a status event in AWS's shape with the same fields as the recorder's own
// (main/shared/statusEvent.ts; docs/status-events.md). It carries no attributes, no token and no text from the recorder.

import type { ContactInfo, Identity } from '../contract.ts';

/** AWS's codes for what only a page can know. */
export type FailureCode =
  | 'CLIENT_APP_NOT_RUNNING'
  | 'CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED'
  | 'MULTIPLE_CCP_INTERACTION'
  | 'CLIENT_AUTH_ERROR'
  | 'CLIENT_CONNECTION_ERROR';

/** Fixed: a message of the program on the port could contain anything. */
const MESSAGES: Readonly<Record<FailureCode, string>> = {
  CLIENT_APP_NOT_RUNNING:
    'Sightline was not running during the contact. Check that it starts when the agent signs in.',
  CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED:
    'The browser kept the page from reaching Sightline. Run "sightline browser-policy --apply" on this computer.',
  MULTIPLE_CCP_INTERACTION:
    'A page of another agent or instance was connected to Sightline. Close it on this computer.',
  CLIENT_AUTH_ERROR: 'Sightline did not accept the token of the page. Check policy "auth" and the endpoint.',
  CLIENT_CONNECTION_ERROR:
    'The page could not use Sightline: not allowed, another version, another user, or no answer in time. Run "sightline doctor" on this computer.',
};

/** A status event, as JSON. */
export type FailureEvent = ReturnType<typeof failureEvent>;

export interface FailureFacts {
  readonly identity: Identity;
  readonly contact: ContactInfo;
  readonly code: FailureCode;
  /** When the recording should have begun, and now; in ms since 1970. */
  readonly wantedSince: number;
  readonly now: number;
  /** Of the recorder, if this page has ever been connected to one. */
  readonly appVersion: string | undefined;
}

export function failureEvent({ identity, contact, code, wantedSince, now, appVersion }: FailureFacts) {
  const { contactId, channel, queue, initialContactId } = contact;
  const { instanceArn, agentArn } = identity;
  const contactArn = `${instanceArn}/contact/${contactId}`;
  // `arn:aws:connect:<region>:<account>:instance/<id>` (AWS Service Authorization Reference, Amazon Connect)
  const [, , , region = '', account = ''] = instanceArn.split(':');
  return {
    version: '0' as const,
    id: crypto.randomUUID(),
    'detail-type': 'Screen Recording Status Changed' as const,
    source: 'sightline' as const,
    account,
    time: new Date(now).toISOString(),
    region,
    resources: [contactArn, instanceArn],
    detail: {
      version: '1.0' as const,
      recordingStatus: 'FAILED' as const,
      // The same for each repetition, and in each tab.
      eventDeduplicationId: `page:${contactId}:${code}`,
      instanceArn,
      contactArn,
      agentArn,
      clientInfo: { appVersion: appVersion ?? 'unknown', os: operatingSystem(), browser: browser() },
      sightline: {
        channel,
        ...(queue === undefined ? {} : { queue: queue.slice(0, 256) }),
        ...(initialContactId === undefined ? {} : { initialContactId }),
      },
      recordingInfo: { startTime: new Date(wantedSince).toISOString() },
      failureInfo: { code, message: MESSAGES[code], source: 'CLIENT' as const },
    },
  };
}

function browser(): string {
  return navigator.userAgent.slice(0, 256);
}

function operatingSystem(): string {
  const { platform } = (navigator as { userAgentData?: { platform?: unknown } }).userAgentData ?? {};
  if (typeof platform === 'string' && platform !== '') return platform.slice(0, 64);
  return /Windows|Mac OS X|CrOS|Android|Linux/.exec(navigator.userAgent)?.[0] ?? 'unknown';
}
