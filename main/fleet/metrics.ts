// Metrics for a collector of IT's (policy "otlpEndpoint"; OpenTelemetry protocol over HTTP, protobuf). The one place that knows
// the OpenTelemetry SDK, which is loaded only where policy names an endpoint. No attribute has a contact, a person or a name:
// values come from lists of ours.

import type { BatchObservableResult, Histogram, Observable } from '@opentelemetry/api';
import type { MeterProvider, PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Logger } from '../platform/log.ts';
import { errorMessage } from '../shared/errors.ts';
import type { HeartbeatInfo } from '../shared/deskEvent.ts';
import type { Manifest } from '../shared/manifest.ts';
import type { StatusDetail } from '../shared/statusEvent.ts';
import type { Delivery } from './delivery.ts';

export interface MetricsOptions {
  /** Read when it has changed. */
  readonly policy: { readonly otlpEndpoint: string | null };
  readonly delivery: Delivery;
  readonly deskId: string;
  readonly appVersion: string;
  readonly gather: () => Promise<{ readonly info: HeartbeatInfo }>;
  readonly log: Logger;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 60_000;
/** Seconds. */
const UPLOAD_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800];

/** Cumulative since the start: name, unit, description, and the attribute by which it is divided. */
const counters = {
  recorded: ['sightline.contacts.recorded', '{contact}', 'Recordings that were completed', null],
  published: ['sightline.contacts.published', '{contact}', 'Recordings that the sink has confirmed', null],
  overdue: ['sightline.contacts.overdue', '{contact}', 'Recordings that were overdue', null],
  failed: ['sightline.contacts.failed', '{contact}', 'FAILED events', 'code'],
  recordedTime: ['sightline.recorded.time', 's', 'Captured time of published recordings', null],
  gapTime: ['sightline.gaps.time', 's', 'Time without capture in published recordings', 'reason'],
} as const;
type Counter = keyof typeof counters;

const statusCounters = { COMPLETED: 'recorded', PUBLISHED: 'published', OVERDUE: 'overdue' } as const;

export class Metrics {
  private readonly sums = new Map<Counter, Map<string, number>>();
  private provider: Promise<MeterProvider | null> = Promise.resolve(null);
  private uploadTime: Histogram | null = null;

  constructor(private readonly options: MetricsOptions) {
    this.restart();
  }

  /** A change of the endpoint. */
  restart(): void {
    void this.stop();
    const { policy, log } = this.options;
    if (policy.otlpEndpoint === null) return;
    this.provider = this.start(policy.otlpEndpoint).catch((error: unknown) => {
      log.error('there are no metrics', { reason: errorMessage(error) });
      return null;
    });
  }

  /** Resolves when the last values were sent, or the collector has not taken them. */
  async stop(): Promise<void> {
    const { provider } = this;
    this.provider = Promise.resolve(null);
    this.uploadTime = null;
    await (await provider)?.shutdown().catch(() => undefined);
  }

  count(detail: StatusDetail): void {
    if (detail.sightline?.trial === true || detail.recordingStatus === 'INITIATED') return;
    if (detail.recordingStatus === 'FAILED') this.add('failed', 1, detail.failureInfo.code);
    else this.add(statusCounters[detail.recordingStatus], 1);
  }

  uploaded({ durationMs, gaps, trial }: Manifest, uploadMs: number): void {
    if (trial === true) return;
    this.uploadTime?.record(uploadMs / 1000);
    let capturedMs = durationMs;
    for (const gap of gaps) {
      capturedMs -= gap.durationMs;
      this.add('gapTime', gap.durationMs / 1000, gap.reason);
    }
    this.add('recordedTime', Math.max(0, capturedMs) / 1000);
  }

  private add(counter: Counter, value: number, attribute = ''): void {
    const sums = this.sums.get(counter) ?? new Map<string, number>();
    this.sums.set(counter, sums.set(attribute, (sums.get(attribute) ?? 0) + value));
  }

  private async start(endpoint: string): Promise<MeterProvider> {
    const { deskId, appVersion, gather, intervalMs = INTERVAL_MS } = this.options;
    const [sdk, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/sdk-metrics'),
      import('@opentelemetry/resources'),
    ]);
    const reader = new sdk.PeriodicExportingMetricReader({
      exporter: await this.exporter(`${endpoint.replace(/\/+$/, '')}/v1/metrics`),
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: intervalMs,
    });
    const resource = resourceFromAttributes({
      ...{ 'service.name': 'sightline', 'service.version': appVersion, 'service.instance.id': deskId },
    });
    const provider = new sdk.MeterProvider({ resource, readers: [reader] });
    const meter = provider.getMeter('sightline', appVersion);
    for (const [name, [metric, unit, description, attribute]] of Object.entries(counters))
      meter.createObservableCounter(metric, { unit, description }).addCallback((result) => {
        for (const [value, sum] of this.sums.get(name as Counter) ?? [])
          result.observe(sum, attribute === null ? {} : { [attribute]: value });
      });
    const gauge = (name: string, unit: string, description: string): Observable =>
      meter.createObservableGauge(name, { unit, description });
    const waiting = gauge(
      'sightline.uploads.waiting',
      '{recording}',
      'Recordings that wait for their upload',
    );
    const waitingBytes = gauge('sightline.uploads.waiting.size', 'By', 'Their size in the spool');
    const oldestAge = gauge('sightline.uploads.oldest.age', 's', 'Time since the end of the oldest of them');
    const freeBytes = gauge('sightline.disk.free', 'By', 'Free space on the disk of the data folder');
    const state = gauge('sightline.state', '1', '1 for the state of now');
    const observe = async (result: BatchObservableResult): Promise<void> => {
      const { info } = await gather();
      const { uploads } = info;
      result.observe(waiting, uploads.waiting);
      result.observe(waitingBytes, uploads.waitingBytes);
      const { oldestTime } = uploads;
      result.observe(
        oldestAge,
        oldestTime === undefined ? 0 : Math.max(0, Date.now() - Date.parse(oldestTime)) / 1000,
      );
      if (info.freeBytes !== undefined) result.observe(freeBytes, info.freeBytes);
      result.observe(state, 1, { state: info.state });
    };
    meter.addBatchObservableCallback(observe, [waiting, waitingBytes, oldestAge, freeBytes, state]);
    this.uploadTime = meter.createHistogram('sightline.upload.duration', {
      ...{ unit: 's', description: 'Length of a successful upload attempt' },
      advice: { explicitBucketBoundaries: UPLOAD_BUCKETS },
    });
    return provider;
  }

  /** The SDK's own exporters know neither Chromium's network stack nor our proxies and limits. */
  private async exporter(url: string): Promise<PushMetricExporter> {
    const { ProtobufMetricsSerializer } = await import('@opentelemetry/otlp-transformer');
    const { ExportResultCode } = await import('@opentelemetry/core');
    return {
      export: (metrics, done) => {
        const body = ProtobufMetricsSerializer.serializeRequest(metrics) ?? new Uint8Array();
        const sent = this.options.delivery.post(url, 'application/x-protobuf', body);
        // Of no use later: the next export has the same sums.
        void sent.then((taken) => done({ code: taken ? ExportResultCode.SUCCESS : ExportResultCode.FAILED }));
      },
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    };
  }
}
