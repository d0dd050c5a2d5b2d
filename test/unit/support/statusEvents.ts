// Status events for tests that only pass them on.
import type { StatusEvent } from '../../../main/shared/statusEvent.ts';

export function statusEvent(recordingId: string, padding = 0): StatusEvent {
  const instanceArn = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa';
  const contactArn = `${instanceArn}/contact/${recordingId}`;
  return {
    version: '0',
    id: `event-of-${recordingId}`,
    'detail-type': 'Screen Recording Status Changed',
    source: 'sightline',
    account: '123456789012',
    time: '2026-01-02T03:04:05.006Z',
    region: 'eu-central-1',
    resources: [contactArn, instanceArn],
    detail: {
      version: '1.0',
      eventDeduplicationId: `${recordingId}:INITIATED`,
      instanceArn,
      contactArn,
      agentArn: `${instanceArn}/agent/22222222-bbbb`,
      clientInfo: { appVersion: '1.2.3', os: 'linux', browser: 'x'.repeat(padding) },
      recordingStatus: 'INITIATED',
    },
  };
}

export function idOf(event: { detail: { eventDeduplicationId: string } }): string {
  return event.detail.eventDeduplicationId.replace(/:INITIATED$/, '');
}
