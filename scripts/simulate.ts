// `npm run simulate -- --agents N`: the control and upload traffic of N desks, doubled until the machine is full, against the local broker
// and a local store. Prints a table, and JSON as its last line. What the figures mean for 1,000 to 100,000 agents: docs/capacity.md.
// Options: --seconds S of each step (15), --seed N, --steps N (at most so many; 1 is exactly --agents), --burst shift-start (all desks
// sign in within S seconds) or outage (S3 is away for an hour, in a time-lapse: --lapse N), --sts-quota N (AssumeRole requests a second).

import { parseArgs } from 'node:util';
import { startBackend } from './simulate/backend.ts';
import { round, table } from './simulate/figures.ts';
import { runOutage } from './simulate/outage.ts';
import { runStep, type Step } from './simulate/steps.ts';

const USAGE =
  'usage: npm run simulate -- [--agents N] [--seconds S] [--seed N] [--steps N] [--burst shift-start|outage] [--lapse N] [--sts-quota N]\n';
/** Of the broker, for one agent (RATE_PER_SECOND, RATE_BURST). */
const LIMIT = { perSecond: 5, burst: 60 };

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'; // its clients print it for developers

const options = readOptions();
try {
  await (options.burst === 'outage' ? simulateOutage() : simulateSteps());
} catch (error) {
  process.stderr.write(`simulate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit();

async function simulateSteps(): Promise<void> {
  const { seconds, seed, burst, stsQuota } = options;
  const steps: Step[] = [];
  for (let agents = options.agents; steps.length < options.steps; agents *= 2) {
    const backend = await startBackend({ ...LIMIT, stsPerSecond: stsQuota });
    const step = await runStep(backend, { agents, seconds, seed, shiftStart: burst === 'shift-start' });
    backend.stop();
    steps.push(step);
    process.stderr.write(`${agents} agents: ${step.full ?? 'in time'}\n`);
    if (step.full !== null) break;
  }
  const names = [
    ...[
      'agents',
      'broker requests/s',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'CPU ms a request',
      'uploads/s',
      'MB/s',
      'events/s',
      'errors',
    ],
    ...['broker CPU', 'store CPU', 'simulator CPU', 'machine', 'late ms'],
  ];
  const percent = (share: number): string => `${round(share * 100)} %`;
  const rows = steps.map((one) => {
    const { p50, p95, p99 } = one.credentials.count > 0 ? one.credentials : one.authorize;
    const { broker, store, simulator, machine } = one.cpu;
    return [
      ...[one.agents, one.brokerRequests, p50, p95, p99, one.cpuMs.brokerRequest],
      ...[one.uploadsASecond, one.megabytesASecond, one.eventsASecond, one.errors],
      ...[...[broker, store, simulator, machine].map(percent), one.lateMs],
    ];
  });
  say(table(names, rows));
  for (const { agents, full, errorKinds } of steps) {
    if (full !== null) say(`\n${agents} agents: the machine is full: ${full}.`);
    for (const [kind, count] of Object.entries(errorKinds)) say(`${agents} agents: ${count} × ${kind}`);
  }
  process.stdout.write(`${JSON.stringify({ seed, burst, stsQuota, steps })}\n`);
}

async function simulateOutage(): Promise<void> {
  const { agents, seed, lapse, stsQuota } = options;
  // Limits are for real time; in the time-lapse everything is faster.
  const perSecond = Math.min(1000, LIMIT.perSecond * lapse);
  const backend = await startBackend({
    ...{ perSecond, burst: Math.min(10_000, LIMIT.burst * lapse) },
    stsPerSecond: stsQuota === null ? null : stsQuota * lapse,
  });
  const outage = await runOutage(backend, { agents, seed, lapse });
  backend.stop();
  const names = [
    'minutes',
    'S3',
    'broker requests/s',
    'uploads/s',
    'MB/s',
    'failed attempts/s',
    'waiting recordings',
    'waiting MB',
  ];
  say(`${agents} agents, ${lapse} times as fast; figures are those of the agents' time.`);
  say(
    table(
      names,
      outage.windows.map((one) => [
        ...[`${one.fromMinute}–${one.toMinute}`, one.isOut ? 'away' : 'there'],
        ...[one.brokerRequests, one.uploads, one.megabytes, one.failures, one.waiting, one.waitingMB],
      ]),
    ),
  );
  const { caughtUpAfterMinutes: minutes, peakOverSteady, slowUploads } = outage;
  say(`\nBacklog gone ${minutes === null ? 'not within the run' : `${minutes} minutes after the outage`}.`);
  say(`The broker's busiest window had ${peakOverSteady} times the requests of the time before the outage.`);
  if (slowUploads > 0.1)
    say(
      `This machine is too slow: ${round(slowUploads * 100)} % of uploads took longer than the desk's line. Use a smaller --lapse or --agents.`,
    );
  process.stdout.write(`${JSON.stringify({ seed, burst: 'outage', lapse, stsQuota, agents, ...outage })}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        agents: { type: 'string' },
        seconds: { type: 'string', default: '15' },
        seed: { type: 'string', default: '1' },
        steps: { type: 'string', default: '8' },
        burst: { type: 'string' },
        lapse: { type: 'string', default: '40' },
        'sts-quota': { type: 'string' },
      },
    });
    const number = (name: keyof typeof values, from: number, to: number, otherwise?: number): number => {
      const value = values[name] === undefined ? otherwise : Number(values[name]);
      if (value === undefined || !Number.isInteger(value) || value < from || value > to)
        throw new Error(`--${name} takes a whole number from ${from} to ${to}`);
      return value;
    };
    const { burst = null } = values;
    if (burst !== null && burst !== 'shift-start' && burst !== 'outage')
      throw new Error('--burst takes shift-start or outage');
    return {
      ...{
        agents: number('agents', 1, 1_000_000, burst === 'outage' ? 20 : 500),
        seconds: number('seconds', 1, 3600),
      },
      ...{
        seed: number('seed', 0, 1e9),
        steps: number('steps', 1, 20),
        lapse: number('lapse', 1, 200),
        burst,
      },
      stsQuota: values['sts-quota'] === undefined ? null : number('sts-quota', 1, 1_000_000),
    };
  } catch (error) {
    process.stderr.write(`simulate: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(64);
  }
}
