// The composition root: builds every service and hands each its ports. Nothing decides anything here; what looks like
// logic is only the order in which one service's news reaches the next.

import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { arch, platform, release } from 'node:os';
import { Capture } from './capture/capture.ts';
import { displaysOf } from './capture/displays.ts';
import { FfmpegFinder } from './capture/ffmpegBinary.ts';
import type { ChosenEncoder } from './capture/ffmpegBinary.ts';
import { Slates } from './capture/slates.ts';
import { ffmpegSpawner } from './capture/spawnFfmpeg.ts';
import { SystemClock } from './platform/clock.ts';
import { lockDataFolder } from './platform/instanceLock.ts';
import type { Logger } from './platform/log.ts';
import { describePortOwner } from './platform/portOwner.ts';
import { appVersion } from './platform/version.ts';
import type { Policy } from './policy/keys.ts';
import { FolderSink } from './publisher/folderSink.ts';
import { publish } from './publisher/publication.ts';
import { Publisher } from './publisher/publisher.ts';
import { startServer } from './server/server.ts';
import type { RunningServer } from './server/server.ts';
import { Session } from './session/service.ts';
import type { Effect, SessionState } from './session/state.ts';
import { captureState, openRecordings } from './session/view.ts';
import { SightlineError, errno } from './shared/errors.ts';
import type { HelloReply } from './shared/protocol.ts';
import { PROTOCOL_VERSION } from './shared/protocol.ts';
import { toTimestamp } from './shared/time.ts';
import { plainRunFiles } from './spool/runFiles.ts';
import type { SpoolSession } from './spool/spool.ts';
import { Spool } from './spool/spool.ts';
import { StatusHub } from './status/hub.ts';
import type { Subject } from './status/statusEvents.ts';
import { StatusEvents } from './status/statusEvents.ts';

export interface ServicesOptions {
  readonly policy: Policy;
  readonly resourcesFolder: string;
  readonly log: Logger;
}

export interface Services {
  readonly port: number;
  readonly hub: StatusHub;
  readonly session: Session;
  readonly publisher: Publisher;
  /** What `hello` tells a page about this Sightline; asks ffmpeg when no encoder is known yet. */
  describe(): Promise<Omit<HelloReply, 'sessionId' | 'recordings'>>;
  /** Completes what is open, publishes what it can within the time given, and ends. What is left is found again. */
  stop(withinMs: number): Promise<void>;
}

/** @throws SightlineError when the data folder or the port cannot be had */
export async function startServices({ policy, resourcesFolder, log }: ServicesOptions): Promise<Services> {
  const unlock = lockDataFolder(policy.dataDir);
  const clock = new SystemClock();
  const newId = (): string => randomUUID();
  const spawn = ffmpegSpawner(log);
  const finder = new FfmpegFinder({
    ffmpegPath: policy.ffmpegPath,
    resourcesFolder,
    encoder: policy.encoder,
  });
  const displays = displaysOf(process.platform, policy.display);
  const slates = new Slates({ finder, spawn, resourcesFolder });
  const hub = new StatusHub((error) => log.error('a listener failed', { reason: String(error) }));
  let monitors = 0;
  let encoderMissing = false;

  const statusEvents = new StatusEvents({
    file: policy.statusEventsFile,
    hub,
    clock,
    newEventId: newId,
    clientInfo: () => {
      const encoder = finder.current?.encoder;
      return {
        appVersion,
        os: osName(),
        ...(monitors > 0 ? { monitors } : {}),
        ...(encoder === undefined ? {} : { encoder }),
      };
    },
    log,
  });

  const spool = new Spool({
    root: join(policy.dataDir, 'spool'),
    runFiles: plainRunFiles,
    newSessionId: () =>
      `${toTimestamp(clock.now()).replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`,
    onLost: (from, recordingId) => {
      const { failed, started } = from.ledger.recordings.get(recordingId) ?? {};
      if (!failed || !started) return;
      const { failure } = failed;
      void statusEvents.announce(subjectOf(from, recordingId), {
        status: 'FAILED',
        startTime: started.at,
        failure,
      });
    },
    onUnreadable: (folder, error) =>
      log.error('a spool folder cannot be read', { folder, reason: String(error) }),
  });
  // The stretch of recording that is going on; opened by the first contact's first record.
  let recording: Promise<SpoolSession> | null = null;
  const spoolOf = new Map<string, SpoolSession>();
  const currentSpool = (): Promise<SpoolSession> => {
    recording ??= spool.openSession().catch((error: unknown) => {
      recording = null; // the next run or contact tries again: the disk may have room by then
      throw error;
    });
    return recording;
  };

  const publisher = new Publisher({
    publish: (from, recordingId) =>
      publish(from, recordingId, {
        sink: new FolderSink(policy.sinkFolder),
        keyPrefix: policy.keyPrefix,
        appVersion,
        os: osName(),
        makeSlate: (order) => slates.make(order),
        blankPicture: async () => {
          const [{ encoder }, layout] = await Promise.all([finder.find(), displays.current()]);
          const [first] = layout.monitors;
          return { width: first?.width ?? 1280, height: first?.height ?? 720, fps: policy.fps, encoder };
        },
      }),
    onPublished: async (from, recordingId, { receipt, manifest }) => {
      spoolOf.delete(recordingId);
      log.info('published', { recordingId, location: receipt.location, sizeBytes: receipt.sizeBytes });
      await statusEvents.announce(subjectOf(from, recordingId), {
        status: 'PUBLISHED',
        startTime: Date.parse(manifest.startTime),
        endTime: Date.parse(manifest.endTime),
        location: receipt.location,
        sizeBytes: receipt.sizeBytes,
      });
    },
    onFailed: (from, recordingId, why) =>
      statusEvents.announce(subjectOf(from, recordingId), {
        status: 'FAILED',
        startTime: from.ledger.recordings.get(recordingId)?.startTime ?? clock.now(),
        failure: why,
      }),
    onChange: (uploads) => hub.update({ uploads }),
    clock,
    random: Math.random,
    log,
  });

  const capture = new Capture({
    finder,
    displays,
    spawn,
    clock,
    fps: policy.fps,
    ports: {
      openRun: async (run) => {
        monitors = Math.max(1, run.monitors.length);
        const to = await currentSpool();
        const file = `${run.runId}.mp4`;
        await to.append({ type: 'run.opened', at: clock.now(), file, ...run, monitors: [...run.monitors] });
        return to.createRun(file);
      },
      onLive: (runId, { firstFrameAt, width, height }) => {
        appendToSpool({ type: 'run.live', runId, startTime: firstFrameAt, width, height });
        session.dispatch({ type: 'run.live', runId, firstFrameAt });
      },
      onCovered: (runId, until) => session.dispatch({ type: 'run.covered', runId, until }),
      onEnded: (runId, end) => {
        const { endTime, frames, sizeBytes, gapReason, fault, permanent } = end;
        if (fault !== null) log.warn('capture failed', { runId, code: fault.code, reason: fault.message });
        appendToSpool({ type: 'run.closed', runId, endTime, frames, sizeBytes, gapReason });
        session.dispatch({ type: 'run.ended', runId, fault, permanent, at: clock.now() });
      },
    },
  });

  const session: Session = new Session(
    {
      clock,
      capture,
      journal: async (record) => {
        const to = await currentSpool();
        spoolOf.set(record.recordingId, to);
        await to.append(record);
      },
      announce: (effect) => void announce(effect),
      publish: (recordingId) => {
        const from = spoolOf.get(recordingId);
        if (from !== undefined) publisher.enqueue(from, recordingId);
      },
      onState: (state) => {
        showState(state);
        if (isQuiet(state)) endStretch();
      },
      onProblem: (message, why) => log.error(message, { code: why.code, reason: why.message }),
      newId,
    },
    { graceMs: policy.graceSeconds * 1000, startDeadlineMs: 10_000, newRunId: newId },
  );

  /** Idle without an encoder is not idle: the agent should see it before the first call, not after. */
  function showState(state: SessionState): void {
    const shown = captureState(state);
    hub.update({
      state: shown === 'idle' && encoderMissing ? 'problem' : shown,
      contacts: openRecordings(state),
    });
  }

  async function lookForEncoder(): Promise<ChosenEncoder | null> {
    const found = await finder.find().catch((error: unknown) => {
      log.error('no encoder', { reason: error instanceof Error ? error.message : String(error) });
      return null;
    });
    encoderMissing = found === null;
    showState(session.current);
    return found;
  }

  function appendToSpool(entry: Parameters<SpoolSession['append']>[0]): void {
    currentSpool()
      .then((to) => to.append(entry))
      .catch((error: unknown) => log.error('the journal could not be written', { reason: String(error) }));
  }

  /** Nothing is recorded any more: the next contact gets a spool folder, a canvas and a clock anchor of its own. */
  function endStretch(): void {
    capture.forgetCanvas();
    clock.reanchor();
    const ending = recording;
    recording = null;
    ending
      ?.then((one) => one.release())
      .catch((error: unknown) => log.warn('the spool could not be tidied', { reason: String(error) }));
  }

  function announce(effect: Effect & { type: 'announce' }): Promise<void> {
    const { contact } = effect;
    const subject: Subject = {
      recordingId: effect.recordingId,
      contactId: contact.info.contactId,
      agentArn: contact.agent.agentArn,
      instanceArn: contact.agent.instanceArn,
      browser: contact.agent.browser,
    };
    switch (effect.status) {
      case 'INITIATED':
        return statusEvents.announce(subject, { status: 'INITIATED' });
      case 'COMPLETED': {
        const { phase } = contact;
        if (phase.kind !== 'stopping') return Promise.resolve();
        return statusEvents.announce(subject, { status: 'COMPLETED', ...phase });
      }
      case 'FAILED':
        spoolOf.delete(effect.recordingId);
        return statusEvents.announce(subject, {
          status: 'FAILED',
          startTime: contact.requestedAt,
          failure: effect.failure,
        });
    }
  }

  const describe = async () => {
    const { fps, maxMonitors } = policy;
    return {
      protocol: PROTOCOL_VERSION,
      appVersion,
      fps,
      maxMonitors,
      encoder: (await lookForEncoder())?.encoder ?? null,
    };
  };

  let server: RunningServer;
  try {
    server = await startServer({
      port: policy.port,
      guard: policy,
      appVersion,
      page: { session, hub, describe, log },
      log,
    });
  } catch (error) {
    unlock();
    throw await explainListenError(error, policy.port);
  }

  void lookForEncoder().then((chosen) => {
    if (chosen === null) return;
    const { binary, encoder, warning } = chosen;
    log.info('encoder', { encoder, ffmpeg: binary.path, version: binary.version, origin: binary.origin });
    if (warning !== null) log.warn(warning);
  });
  await recover().catch((error: unknown) =>
    log.error('the spool could not be searched', { reason: String(error) }),
  );

  async function recover(): Promise<void> {
    for (const left of await spool.recover()) {
      for (const [recordingId, { startTime, stopped, published, failed }] of left.ledger.recordings) {
        if (published !== null || failed !== null || startTime === null || stopped === null) continue;
        log.info('found an unpublished recording', { recordingId, folder: left.folder });
        if (stopped.cause === 'app-died') {
          const { endTime } = stopped;
          await statusEvents.announce(subjectOf(left, recordingId), {
            status: 'COMPLETED',
            startTime,
            endTime,
          });
        }
        publisher.enqueue(left, recordingId);
      }
    }
  }

  return {
    port: server.port,
    hub,
    session,
    publisher,
    describe,
    async stop(withinMs) {
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref());
      await Promise.race([session.shutdown().then(() => publisher.idle()), deadline]);
      publisher.stop();
      await Promise.race([statusEvents.flush(), deadline]);
      await server.close();
      unlock();
    },
  };
}

function isQuiet(state: SessionState): boolean {
  return state.contacts.length === 0 && state.runs.length === 0;
}

function subjectOf(session: SpoolSession, recordingId: string): Subject {
  const started = session.ledger.recordings.get(recordingId)?.started;
  if (started === undefined) throw new Error(`The spool knows no recording ${recordingId}.`);
  const { agentArn, instanceArn, browser } = started.agent;
  return { recordingId, contactId: started.contact.contactId, agentArn, instanceArn, browser };
}

/** For example `linux 6.1.0 x64`, `win32 10.0.22631 x64`. */
function osName(): string {
  return `${platform()} ${release()} ${arch()}`;
}

async function explainListenError(error: unknown, port: number): Promise<SightlineError> {
  switch (errno(error)) {
    case 'EADDRINUSE': {
      const owner = await describePortOwner(port);
      return new SightlineError(
        'CLIENT_CONNECTION_ERROR',
        `Port ${port} is taken${owner === null ? '' : ` by ${owner}`}. End that program (another Sightline, or the Amazon ` +
          'Connect Client Application, which uses 5431 too), or set another "port" here and in the page.',
        { cause: error },
      );
    }
    case 'EACCES':
      return new SightlineError(
        'CLIENT_CONNECTION_ERROR',
        `Port ${port} may not be used by this user. Set another "port".`,
        {
          cause: error,
        },
      );
    default:
      return new SightlineError(
        'CLIENT_CONNECTION_ERROR',
        `Port ${port} cannot be opened: ${String(error)}`,
        { cause: error },
      );
  }
}
