// The template's saved queries, dashboard and metric filters against real events, as the recorder puts them on the bus: each field that they
// name is in an event that they select. AWS runs the queries; here only their fields are checked.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { statusEventSchema } from '../../main/shared/statusEvent.ts';
import { EXAMPLE } from '../rig/aws/example.ts';
import { Deployment, textOf } from '../rig/aws/template.ts';
import { startDisplay } from '../rig/display.ts';
import { startEventBridgeServer, keyEnvironment, type ReceivedEvent } from '../rig/eventBridgeServer.ts';
import { agent, startRecorder } from '../rig/recorder.ts';

type Event = Readonly<Record<string, unknown>>;

const resources = Object.entries(new Deployment(EXAMPLE).resources());
const textsOf = (type: string, property: string): [string, string][] =>
  resources
    .filter(([, { Type }]) => Type === type)
    .map(([name, { Properties }]) => [name, textOf(Properties[property])]);
const dashboard = JSON.parse(textsOf('AWS::CloudWatch::Dashboard', 'DashboardBody')[0]?.[1] ?? '') as {
  widgets: { properties: { title: string; query?: string } }[];
};
const queries = [
  ...textsOf('AWS::Logs::QueryDefinition', 'QueryString'),
  ...dashboard.widgets.flatMap(({ properties: { title, query } }): [string, string][] =>
    query === undefined ? [] : [[`dashboard: ${title}`, query.replace(/^SOURCE '[^']+' \| /, '')]],
  ),
];
const filters = textsOf('AWS::Logs::MetricFilter', 'FilterPattern');

/** As EventBridge writes it to the log group. */
function logged(event: ReceivedEvent): Event {
  const { eventId, source, detailType, resources: about, time, detail } = event;
  const times = { time: new Date(time).toISOString().replace(/\.\d+/, '') };
  const where = { account: '123456789012', region: 'eu-central-1', resources: about };
  return { version: '0', id: eventId, 'detail-type': detailType, source, ...where, ...times, detail };
}

const valueOf = (event: Event, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Event | undefined)?.[name], event);

/** `detail.x.y` and names in backticks, without what is in quotes. Names after `as` are the query's own. */
function fieldsOf(text: string): string[] {
  const code = text.replaceAll(/"[^"]*"/g, '""').replaceAll(/\bas \w+/g, '');
  const found = code.matchAll(/`([\w.-]+)`|(?:\$\.)?\b(detail(?:[.-]\w+)+|source)\b/g);
  return [...new Set([...found].map(([, quoted, plain]) => quoted ?? plain ?? ''))];
}

const statusOf = (event: Event) => String(valueOf(event, 'detail.recordingStatus'));
/** Those that the query's conditions name by status or type; all where it names none. */
function selected(text: string, events: readonly Event[]): readonly Event[] {
  const named = [...text.matchAll(/"([^"]+)"/g)].map(([, one = '']) => one);
  const some = events.filter(
    (one) => named.includes(statusOf(one)) || named.includes(String(one['detail-type'])),
  );
  return some.length === 0 ? events : some;
}

let events: Event[];

beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), 'sightline-queries-'));
  const display = await startDisplay();
  const bus = await startEventBridgeServer();
  const recorder = await startRecorder({
    ...{ display: display.display, home },
    flags: [
      ...['--heartbeat', 'events', '--event-bus-name', bus.bus, '--event-bridge-endpoint', bus.endpoint],
      ...['--aws-region', bus.region],
    ],
    environment: keyEnvironment(home),
  });
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE', queue: 'Billing' });
  const stranger = await recorder.connect({ hello: false });
  await stranger.request('hello', { protocol: 1, ...agent, agentArn: `${agent.instanceArn}/agent/mallory` });
  await stranger.request('contact.start', { contactId: 'lost', channel: 'CHAT', queue: 'Sales' });
  await sleep(600); // the length of the contact
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'PUBLISHED');
  await bus.until(({ received }) => {
    const kinds = new Set(received.map(({ detailType, detail }) => detail['recordingStatus'] ?? detailType));
    return ['INITIATED', 'COMPLETED', 'PUBLISHED', 'FAILED', 'Recorder Heartbeat'].every((one) =>
      kinds.has(one),
    );
  });
  await recorder.stop();
  events = bus.received.map(logged);
  await bus.stop();
  await display.stop();
  await rm(home, { recursive: true, force: true });
});

/** An overdue upload takes more than a minute, and a trial is a command of its own: their events are made here, and judged by the schema. */
function withRareEvents(): Event[] {
  const completed = events.find((one) => statusOf(one) === 'COMPLETED') ?? {};
  const reason = { code: 'CLIENT_CONNECTION_ERROR', message: 'x', source: 'CLIENT' };
  const detail = completed['detail'] as Event;
  const rare = [
    {
      ...{ ...completed, 'detail-type': 'Screen Recording Overdue' },
      detail: { ...detail, recordingStatus: 'OVERDUE', overdueInfo: { overdueMinutes: 60, reason } },
    },
    { ...completed, detail: { ...detail, sightline: { channel: 'TASK', trial: true } } },
  ];
  for (const one of rare) statusEventSchema.parse({ ...one, time: '2026-01-01T00:00:00.000Z' });
  return [...events, ...rare];
}

describe('each field exists in a real event', () => {
  it.each(queries)('of the query %s', (_, text) => {
    const all = withRareEvents();
    const fields = fieldsOf(text);
    expect(fields.length).toBeGreaterThan(0);
    for (const field of fields) {
      // Whether it is a trial is asked of events that are none.
      const candidates = field === 'detail.sightline.trial' ? all : selected(text, all);
      expect(
        candidates.some((event) => valueOf(event, field) !== undefined),
        field,
      ).toBe(true);
    }
  });

  it.each(filters)('of the metric filter %s', (_, text) => {
    const all = withRareEvents();
    for (const field of fieldsOf(text).map((one) => one.replace(/^\$\./, '')))
      expect(
        all.some((event) => valueOf(event, field) !== undefined),
        field,
      ).toBe(true);
    const value = /(?:recordingStatus|detail-type) = "([^"]+)"/.exec(text)?.[1];
    expect(all.some((event) => statusOf(event) === value || event['detail-type'] === value)).toBe(true);
  });

  it('and a wrong one would be seen', () => {
    const [field = ''] = fieldsOf('filter detail.recordingState = "FAILED"');
    expect(field).toBe('detail.recordingState');
    expect(withRareEvents().some((event) => valueOf(event, field) !== undefined)).toBe(false);
  });
});

it('the guide’s four queries are there, unchanged apart from spaces', () => {
  const guide = textsOf('AWS::Logs::QueryDefinition', 'QueryString')
    .filter(([name]) => name.startsWith('QueryGuide'))
    .map(([, text]) => text.replaceAll(/\s+/g, ' ').trim());
  const failed =
    'fields @timestamp, @message, detail | filter detail.recordingStatus = "FAILED" | stats count(*) as Count group by';
  // https://docs.aws.amazon.com/connect/latest/adminguide/track-screen-recording-status.html
  expect(guide).toEqual([
    'fields @timestamp, @message, detail | stats sum(detail.recordingStatus= "PUBLISHED") as Count_Success, ' +
      'sum(detail.recordingStatus= "INITIATED") as Count_Total, Count_Success / Count_Total as Success_Ratio',
    'fields @timestamp, @message, detail | stats count(*) as Count group by detail.recordingStatus as recordingStatus',
    `${failed} detail.failureInfo.code as FailureCode | sort by Count desc`,
    `${failed} detail.agentArn as AgentArn | sort by Count desc`,
  ]);
});

it('our own queries count an event that arrives twice once', () => {
  const counting = queries.filter(([name, text]) => !name.startsWith('QueryGuide') && /\bstats\b/.test(text));
  expect(counting.length).toBeGreaterThan(10);
  // Percentiles and whether there is any need no distinct count.
  expect(counting.filter(([, text]) => /\bcount\(/.test(text))).toEqual([]);
});
