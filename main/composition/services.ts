// The composition root: builds every service and hands each its ports. Nothing decides anything here; what looks like
// logic is only the order in which one service's news reaches the next.

import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Announcer, announcementOf } from './announcer.ts';
import { Capture } from '../capture/capture.ts';
import type { MonitorSource } from '../capture/displays.ts';
import { displaysOf } from '../capture/displays.ts';
import { FfmpegFinder } from '../capture/ffmpegBinary.ts';
import type { ChosenEncoder } from '../capture/ffmpegBinary.ts';
import { Slates } from '../capture/slates.ts';
import { ffmpegSpawner } from '../capture/spawnFfmpeg.ts';
import { startDeliveries } from './deliveries.ts';
import { SystemClock } from '../platform/clock.ts';
import { lockDataFolder } from '../platform/instanceLock.ts';
import type { KeyStore } from '../platform/keyStore.ts';
import { keyFileStore } from '../platform/keyStore.ts';
import type { Logger } from '../platform/log.ts';
import { endOrphan } from '../platform/orphans.ts';
import type { SessionWatch, StartSessionWatch } from '../platform/sessionWatch.ts';
import { appVersion, osName } from '../platform/version.ts';
import type { OverviewParts } from './overview/overviewParts.ts';
import type { PolicyChanges } from './currentSettings.ts';
import { currentSettings, followPolicy } from './currentSettings.ts';
import type { Policy } from '../policy/keys.ts';
import type { Publisher } from '../publisher/publisher.ts';
import { recover } from './recovery.ts';
import { UnreadableFolders } from './unreadableFolders.ts';
import { admissionOf } from './admissionOf.ts';
import { explainListenError } from '../server/listenError.ts';
import { startServer, type RunningServer } from '../server/server.ts';
import { Session } from '../session/service.ts';
import type { Effect, SessionState } from '../session/state.ts';
import { captureState, isQuiet, openRecordings, stateReason } from '../session/view.ts';
import { PROTOCOL_VERSION, type HelloReply } from '../shared/protocol.ts';
import type { Monitor, PauseReason } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { toTimestamp } from '../shared/time.ts';
import { mayGoOn } from '../spool/leftovers.ts';
import { Room } from '../spool/room.ts';
import { RUN_FILE_EXTENSION } from '../spool/runFiles.ts';
import { sessionKeys } from '../spool/sessionKeys.ts';
import type { SpoolSession } from '../spool/spool.ts';
import { Spool } from '../spool/spool.ts';
import { Stretch } from '../spool/stretch.ts';
import { StatusHub } from '../status/hub.ts';
import { openEventBridge, type OpenEventBridge } from '../status/startEventBridge.ts';
import { StatusEvents } from '../status/statusEvents.ts';

/** What the command line of every capture run has, and nobody else's is likely to. */
const ORPHAN_WORDS = ['ffmpeg', 'frag_every_frame', 'pipe:1'];

export interface ServicesOptions {
  /** Each value is read when it is needed: policy may change. */
  readonly policy: Policy;
  /** Who tells of its changes, and is told when they disturb nobody. */
  readonly policyChanges?: PolicyChanges;
  readonly resourcesFolder: string;
  readonly log: Logger;
  /** Who knows the monitors where ffmpeg's grabber and the X server do not; Electron does. */
  readonly monitorSource?: MonitorSource;
  /** Guards the spool's keys; a key file of ours does where the platform has nothing better. */
  readonly keyStore?: KeyStore;
  /** Who tells that the agent is away from the screen; nobody unless given. */
  readonly watchSession?: StartSessionWatch;
  readonly onMonitors?: (recorded: readonly Monitor[]) => void;
}

export interface Services {
  readonly port: number;
  readonly parts: OverviewParts;
  readonly hub: StatusHub;
  /** null: policy names no bus. */
  readonly eventBridge: OpenEventBridge | null;
  readonly session: Session;
  readonly publisher: Publisher;
  /** What `hello` tells a page about this Sightline; asks ffmpeg when no encoder is known yet. */
  describe(): Promise<Omit<HelloReply, 'sessionId' | 'recordings'>>;
  /** Completes what is open, publishes what it can within the time given, and ends. What is left is found again. */
  stop(withinMs: number): Promise<void>;
}

/** @throws SightlineError when the data folder or the port cannot be had */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { policy, policyChanges, resourcesFolder, log, monitorSource = null, watchSession } = options;
  const admission = admissionOf(policy, log);
  const keyFile = keyFileStore(join(policy.dataDir, 'spool.key'));
  const keyStores = options.keyStore ? ([options.keyStore, keyFile] as const) : ([keyFile] as const);
  const [{ warning }] = keyStores;
  if (warning !== null) log.warn(warning);
  const unlock = lockDataFolder(policy.dataDir);
  const clock = new SystemClock();
  const newId = (): string => randomUUID();
  const spawn = ffmpegSpawner(log);
  const current = currentSettings(policy);
  const finder = new FfmpegFinder(current.ffmpegSearch(resourcesFolder));
  const displays = displaysOf(current.displays(monitorSource));
  const slates = new Slates({ finder, spawn, resourcesFolder });
  const hub = new StatusHub((error) => log.error('a listener failed', { reason: String(error) }));
  let monitors = 0;
  let whenQuiet = (): void => undefined;
  let encoderMissing = false;

  let eventBridge = openEventBridge(policy, { clock, log });
  const statusEvents = new StatusEvents(
    current.statusEvents(
      {
        hub,
        clock,
        newEventId: newId,
        clientInfo: () => ({
          appVersion,
          os: osName(),
          monitors: monitors > 0 ? monitors : undefined,
          encoder: finder.current?.encoder,
        }),
        log,
      },
      () => eventBridge,
    ),
  );

  const spoolFolder = join(policy.dataDir, 'spool');
  const announcer = new Announcer(statusEvents, log);
  const unreadable = new UnreadableFolders({ policy, statusEvents, log });

  const spool = new Spool({
    root: spoolFolder,
    room: new Room(
      current.room({
        root: spoolFolder,
        now: () => clock.now(),
        onProblem: (message, error) => log.warn(message, { reason: String(error) }),
      }),
    ),
    keys: sessionKeys(keyStores),
    newSessionId: () =>
      `${toTimestamp(clock.now()).replaceAll(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`,
    onFound: (left) => announcer.tellTheRest(left),
    endOrphan: async (pid) => {
      if (await endOrphan(pid, ORPHAN_WORDS))
        log.warn('an ffmpeg of an earlier Sightline was ended', { pid });
    },
    mayGoOn: (left) =>
      mayGoOn(left, {
        now: clock.now(),
        graceMs: policy.graceSeconds * 1000,
        fps: policy.fps,
        encoder: finder.current?.encoder,
      }),
    onUnreadable: (folder, error, recordings) => unreadable.found(folder, error, recordings),
  });
  const stretch = new Stretch(spool);

  const deliveries = startDeliveries({
    policy,
    makeSlate: (order) => slates.make(order),
    blankPicture: async () => {
      const [{ encoder }, layout] = await Promise.all([
        finder.find(),
        displays.current(null).catch(() => null),
      ]);
      const canvas = layout?.picture.kind === 'composed' ? layout.picture.fit.canvas : null;
      return { ...(canvas ?? { width: 1280, height: 720 }), fps: policy.fps, encoder };
    },
    announcePublished: (from, recordingId, { receipt, manifest }) =>
      announcer.tell(from, recordingId, {
        status: 'PUBLISHED',
        startTime: Date.parse(manifest.startTime),
        endTime: Date.parse(manifest.endTime),
        location: receipt.location,
        sizeBytes: receipt.sizeBytes,
        integrity: manifest.integrity?.state,
      }),
    onPublished: (recordingId, { receipt }) => {
      stretch.forget(recordingId);
      log.info('published', { recordingId, location: receipt.location, sizeBytes: receipt.sizeBytes });
    },
    onFailed: (from, recordingId, why) =>
      announcer.tell(from, recordingId, {
        status: 'FAILED',
        startTime: from.ledger.recordings.get(recordingId)?.startTime ?? clock.now(),
        failure: why,
      }),
    onChange: (uploads) => hub.update({ uploads: unreadable.including(uploads) }),
    clock,
    log,
  });
  const { publisher } = deliveries;

  const capture = new Capture(
    current.capture({
      finder,
      displays,
      spawn,
      clock,
      ports: {
        openRun: async (run) => {
          monitors = Math.max(1, run.monitors.length);
          options.onMonitors?.(run.monitors);
          const file = `${run.runId}.${RUN_FILE_EXTENSION}`;
          const lists = { monitors: [...run.monitors], leftOut: [...run.leftOut] };
          const writer = await stretch.openRun({
            type: 'run.opened',
            at: clock.now(),
            file,
            ...run,
            ...lists,
          });
          const to = await stretch.session();
          return {
            append: async (bytes) => {
              await writer.append(bytes);
              deliveries.grew(to, bytes.byteLength);
            },
            close: () => writer.close(),
          };
        },
        onSpawned: (runId, pid) => void appendToSpool({ type: 'run.spawned', runId, pid }),
        onLive: (runId, { firstFrameAt, width, height }) => {
          void appendToSpool({ type: 'run.live', runId, startTime: firstFrameAt, width, height });
          session.dispatch({ type: 'run.live', runId, firstFrameAt });
        },
        onCovered: (runId, until) => session.dispatch({ type: 'run.covered', runId, until }),
        onEnded: (runId, end) => {
          const { endTime, frames, sizeBytes, gapReason, fault, permanent } = end;
          if (fault !== null) log.warn('capture failed', { runId, code: fault.code, reason: fault.message });
          const at = clock.now();
          // The journal first: a suspend must not be acknowledged before the run's end is known after a crash, too.
          void appendToSpool({ type: 'run.closed', runId, endTime, frames, sizeBytes, gapReason }).then(() =>
            session.dispatch({ type: 'run.ended', runId, fault, permanent, at }),
          );
        },
        onDisplaysChanged: ({ at, available }) => {
          log.info('the displays changed', { available });
          if (available && displayIsThere) session.dispatch({ type: 'displays.changed', at });
          displayIsThere = available;
          showPauses(at);
        },
      },
    }),
  );

  const session: Session = new Session(
    {
      clock,
      capture,
      journal: (record) => stretch.append(record),
      announce: (effect) => void announce(effect),
      tellResumed: ({ type: _, resumedAt, cause, ...rest }) => {
        log.info('a suspension ended by itself', { contactId: rest.contactId, cause });
        if (cause !== 'page') hub.pushResumed({ ...rest, cause, resumedAt: toTimestamp(resumedAt) });
      },
      publish: (recordingId) => {
        const from = stretch.holderOf(recordingId);
        if (from !== undefined) publisher.enqueue(from, recordingId);
      },
      onState: (state) => {
        showState(state);
        deliveries.contactsAreOn(!isQuiet(state));
        if (isQuiet(state)) endStretch();
        policyChanges?.contactsAreOn(!isQuiet(state));
        if (isQuiet(state)) whenQuiet();
      },
      onProblem: (message, why) => log.error(message, { code: why.code, reason: why.message }),
      newId,
    },
    current.session(newId),
  );

  let displayIsThere = true;
  let absences: readonly PauseReason[] = [];
  function showPauses(at: Moment): void {
    const pauses = [
      ...(policy.pauseOnLock ? absences : []),
      ...(displayIsThere ? [] : (['display-unavailable'] as const)),
    ];
    session.dispatch({ type: 'pauses', pauses, at });
  }

  /** Idle without an encoder is not idle: the agent should see it before the first call, not after. */
  function showState(state: SessionState): void {
    const shown = captureState(state);
    hub.update({
      state: shown === 'idle' && encoderMissing ? 'problem' : shown,
      contacts: openRecordings(state),
      reason: stateReason(state),
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

  /** Never rejects. */
  function appendToSpool(entry: Parameters<SpoolSession['append']>[0]): Promise<void> {
    return stretch
      .append(entry)
      .catch((error: unknown) => log.error('the journal could not be written', { reason: String(error) }));
  }

  /** Nothing is recorded any more: the next contact gets a spool folder, a canvas and a clock anchor of its own. */
  function endStretch(): void {
    capture.forgetCanvas();
    clock.reanchor();
    stretch
      .end(session.written.then(() => announcer.settled()))
      .catch((error: unknown) => log.warn('the spool could not be tidied', { reason: String(error) }));
  }

  /** A recording that the journal could not be told of is in no session; it has failed. */
  async function announce(effect: Effect & { type: 'announce' }): Promise<void> {
    const { recordingId, contact } = effect;
    const announcement = announcementOf(effect);
    const from = stretch.holderOf(recordingId);
    if (announcement === null) return;
    if (from?.ledger.recordings.has(recordingId) === true) {
      await announcer.tell(from, recordingId, announcement);
    } else {
      await statusEvents.announce(
        { recordingId, contactId: contact.info.contactId, ...contact.agent },
        announcement,
      );
    }
    if (effect.status === 'FAILED') stretch.forget(recordingId);
  }

  let recovered = (): void => undefined;
  const recovery = new Promise<void>((resolve) => (recovered = resolve));
  const describe = async () => {
    const { fps, maxMonitors } = policy;
    // A page is to find the contacts that an earlier process left open.
    await recovery;
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
      page: {
        ...{ session, hub, describe, admission, log },
        onToken: (arn, token) => deliveries.tokenCame(arn, token),
      },
      control: { dataDir: policy.dataDir, publisher, recovery },
      log,
    });
  } catch (error) {
    unlock();
    throw await explainListenError(error, policy.port);
  }

  const running = server;
  const closeUnallowedPages = (): void => {
    if (isQuiet(session.current)) running.closeUnallowed();
  };
  whenQuiet = closeUnallowedPages;
  const endFollowing = followPolicy(policyChanges, {
    finder,
    lookForEncoder: () => void lookForEncoder(),
    deliveries,
    statusEvents,
    reopenEventBridge: async () => {
      await eventBridge?.sender.stop();
      eventBridge = openEventBridge(policy, { clock, log });
      eventBridge?.sender.start();
    },
    showPauses: () => showPauses(clock.now()),
    closeUnallowedPages,
  });

  eventBridge?.sender.start();
  const chosen = await lookForEncoder();
  if (chosen !== null) {
    const { binary, encoder, warning } = chosen;
    log.info('encoder', { encoder, ffmpeg: binary.path, version: binary.version, origin: binary.origin });
    if (warning !== null) log.warn(warning);
  }
  await recover({ spool, stretch, publisher, capture, session, unreadable, clock, log }).catch(
    (error: unknown) => log.error('the spool could not be searched', { reason: String(error) }),
  );
  hub.update({ uploads: unreadable.including(publisher.uploads) });
  recovered();
  const sessionWatch: Promise<SessionWatch | null> = startSessionWatch().catch((error: unknown) => {
    log.warn('nobody tells when the screen is locked', { reason: String(error) });
    return null;
  });

  async function startSessionWatch(): Promise<SessionWatch | null> {
    if (watchSession === undefined) return null;
    return watchSession({
      onChange: (now) => {
        log.info('the agent is away from the screen', { because: now.join(', ') || 'not any more' });
        absences = now;
        showPauses(clock.now());
        // It is the time to look where nobody tells of a new policy.
        if (now.length === 0) void policyChanges?.look();
      },
      log,
    });
  }

  policyChanges?.contactsAreOn(!isQuiet(session.current));

  return {
    port: running.port,
    parts: { stretch, displays, finder, clock, policy },
    hub,
    get eventBridge() {
      return eventBridge;
    },
    session,
    publisher,
    describe,
    async stop(withinMs) {
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref());
      await Promise.race([session.shutdown().then(() => publisher.idle()), deadline]);
      publisher.stop();
      await Promise.race([announcer.settled().then(() => eventBridge?.sender.idle()), deadline]);
      await eventBridge?.sender.stop();
      await (await sessionWatch)?.stop();
      displays.close();
      endFollowing();
      await running.close();
      unlock();
    },
  };
}
