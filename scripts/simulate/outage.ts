// S3 away for an hour, in a time-lapse: desks go on recording, retry as the publisher does (main/publisher/publisher.ts: one upload at a
// time, and after a failure a random time of up to 5 minutes), and catch up over a line of 500 kbit/s each.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from './backend.ts';
import { newMeasured, openDesks, type Desks, type Measured } from './desks.ts';
import { round } from './figures.ts';
import { schedule, seeded, type Contact } from './model.ts';

/** In minutes of the desks. */
const TIMES = { before: 5, outage: 60, after: 30 };
const WINDOW_MINUTES = 5;
/** Policy `uploadLimitKbit`. */
const LINE_KBIT = 500;
/** The publisher's. */
const RETRY = { baseMs: 1000, longestMs: 5 * 60_000 };

export interface OutageOptions {
  readonly agents: number;
  readonly seed: number;
  /** How much faster than real time. */
  readonly lapse: number;
}

export interface Window {
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly isOut: boolean;
  /** These four: a second of the desks' time. */
  readonly brokerRequests: number;
  readonly uploads: number;
  readonly megabytes: number;
  readonly failures: number;
  /** At the window's end. */
  readonly waiting: number;
  readonly waitingMB: number;
}

export interface Outage {
  readonly windows: readonly Window[];
  /** null: not within the run. */
  readonly caughtUpAfterMinutes: number | null;
  readonly peakOverSteady: number;
  /** The share of uploads that this machine, not the desk's line, made slow: with many the figures are the machine's. */
  readonly slowUploads: number;
}

export async function runOutage(backend: Backend, { agents, seed, lapse }: OutageOptions): Promise<Outage> {
  const measured = newMeasured();
  const desks = openDesks(backend, measured, lapse);
  const totalMinutes = TIMES.before + TIMES.outage + TIMES.after;
  const uploaders = Array.from(
    { length: agents },
    (_, desk) => new Uploader(desks, seeded(seed * 7919 + desk), lapse),
  );
  const stops = schedule({ agents, seconds: totalMinutes * 60, seed }).flatMap((action) =>
    action.kind === 'stop' ? [action] : [],
  );
  const began = performance.now();
  const nowS = (): number => ((performance.now() - began) / 1000) * lapse;
  const windows: Window[] = [];
  let last = read(measured, uploaders);
  let next = 0;
  let isOut = false;
  let caughtUpAfterMinutes: number | null = null;
  for (let minute = WINDOW_MINUTES; minute <= totalMinutes; minute += WINDOW_MINUTES) {
    while (nowS() < minute * 60) {
      await sleep(5);
      for (let stop = stops[next]; stop !== undefined && stop.atS <= nowS(); stop = stops[next]) {
        next += 1;
        uploaders[stop.desk]?.add(stop.contact);
      }
      const shouldBeOut = nowS() >= TIMES.before * 60 && nowS() < (TIMES.before + TIMES.outage) * 60;
      if (shouldBeOut !== isOut) {
        isOut = shouldBeOut;
        backend.outage(isOut);
      }
      const isAfter = nowS() > (TIMES.before + TIMES.outage) * 60;
      // Nothing that had failed waits any more; what a contact has just left behind is no backlog.
      if (isAfter && caughtUpAfterMinutes === null && !uploaders.some((one) => one.hasFailed))
        caughtUpAfterMinutes = round(nowS() / 60 - TIMES.before - TIMES.outage);
    }
    const now = read(measured, uploaders);
    const seconds = WINDOW_MINUTES * 60;
    windows.push({
      ...{ fromMinute: minute - WINDOW_MINUTES, toMinute: minute },
      isOut: minute > TIMES.before && minute <= TIMES.before + TIMES.outage,
      brokerRequests: round((now.requests - last.requests) / seconds, 3),
      uploads: round((now.uploads - last.uploads) / seconds, 3),
      megabytes: round((now.bytes - last.bytes) / 1e6 / seconds, 3),
      failures: round((now.failures - last.failures) / seconds, 3),
      ...{ waiting: now.waiting, waitingMB: round(now.waitingBytes / 1e6, 0) },
    });
    last = now;
  }
  for (const one of uploaders) one.stop();
  const requests = windows.map((one) => one.brokerRequests);
  const sum = (of: (one: Uploader) => number): number => uploaders.reduce((total, one) => total + of(one), 0);
  const slowUploads = round(sum((one) => one.slowUploads) / sum((one) => one.uploads), 2);
  const [steady = NaN] = requests;
  return {
    windows,
    caughtUpAfterMinutes,
    peakOverSteady: round(Math.max(...requests) / steady),
    slowUploads,
  };
}

function read({ credentials, uploads, bytes, errors }: Measured, uploaders: readonly Uploader[]) {
  const sum = (of: (one: Uploader) => number): number => uploaders.reduce((total, one) => total + of(one), 0);
  return {
    ...{ requests: credentials.length, uploads: uploads.length, bytes },
    failures: [...errors.values()].reduce((one, other) => one + other, 0),
    ...{ waiting: sum((one) => one.waiting), waitingBytes: sum((one) => one.waitingBytes) },
  };
}

interface Job {
  readonly contact: Contact;
  attempts: number;
}

/** One desk's publisher and line. */
class Uploader {
  private readonly ready: Job[] = [];
  private readonly all = new Set<Job>();
  uploads = 0;
  slowUploads = 0;
  private isBusy = false;
  private isStopped = false;

  constructor(
    private readonly desks: Desks,
    private readonly random: () => number,
    private readonly lapse: number,
  ) {}

  get waiting(): number {
    return this.all.size;
  }

  get waitingBytes(): number {
    return [...this.all].reduce((sum, { contact }) => sum + contact.sizeBytes, 0);
  }

  get hasFailed(): boolean {
    return [...this.all].some(({ attempts }) => attempts > 0);
  }

  add(contact: Contact): void {
    const job = { contact, attempts: 0 };
    this.all.add(job);
    this.queue(job);
  }

  stop(): void {
    this.isStopped = true;
  }

  private queue(job: Job): void {
    this.ready.push(job);
    if (!this.isBusy) void this.work();
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    for (let job = this.ready.shift(); job !== undefined && !this.isStopped; job = this.ready.shift()) {
      const began = performance.now();
      if (await this.desks.upload(job.contact)) {
        this.all.delete(job);
        const lineMs = (job.contact.sizeBytes * 8) / LINE_KBIT / this.lapse;
        const leftMs = lineMs - (performance.now() - began);
        this.uploads += 1;
        if (leftMs < 0) this.slowUploads += 1;
        else await sleep(leftMs);
      } else {
        const failed = job;
        failed.attempts += 1;
        const longestMs = Math.min(RETRY.longestMs, RETRY.baseMs * 2 ** failed.attempts);
        setTimeout(() => this.queue(failed), (this.random() * longestMs) / this.lapse).unref();
      }
    }
    this.isBusy = false;
  }
}
