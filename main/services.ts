// The composition root: creates every service and connects them. What decides something is in the room that it is about.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Capture } from './capture/capture.ts';
import { displaysOf } from './capture/displays.ts';
import { FfmpegFinder } from './capture/ffmpegBinary.ts';
import { Slates, formatWithoutFrames } from './capture/slates.ts';
import { ffmpegSpawner } from './capture/spawnFfmpeg.ts';
import { SystemClock } from './platform/clock.ts';
import { contactSignal } from './platform/installerSignal.ts';
import { lockDataFolder } from './platform/instanceLock.ts';
import { systemKeyStore, type KeyStore } from './platform/keyStore.ts';
import type { Logger } from './platform/log.ts';
import type { Network } from './platform/network/network.ts';
import { makePrivate } from './platform/privateFiles.ts';
import type { StartSessionWatch } from './platform/sessionWatch.ts';
import { appVersion, osName, requireSupportedSystem } from './platform/version.ts';
import { policyHash } from './policy/hash.ts';
import type { Policy } from './policy/keys.ts';
import type { LivePolicy } from './policy/live.ts';
import { startUploads } from './publisher/uploadService.ts';
import { backlogOf } from './publisher/backlog.ts';
import { authenticationOf } from './server/authentication.ts';
import { RefusedContacts } from './server/refusedContacts.ts';
import { PageServer } from './server/server.ts';
import { isTrialIdentity, Trials } from './server/trial.ts';
import { Pauses } from './session/pauses.ts';
import { Readiness } from './session/readiness.ts';
import { Session } from './session/service.ts';
import { isQuiet, shownState } from './session/view.ts';
import type { EndCause } from './shared/deskEvent.ts';
import type { ChecksReply } from './shared/control.ts';
import type { Failure } from './shared/errors.ts';
import type { Monitor } from './shared/names.ts';
import { openSpool } from './spool/openSpool.ts';
import { recover } from './spool/recovery.ts';
import { journalRuns } from './spool/runJournal.ts';
import { Announcer } from './status/announcer.ts';
import { EventBridge } from './status/eventBridge.ts';
import { Fleet } from './fleet/fleet.ts';
import { StatusHub } from './status/hub.ts';
import { Outbox } from './status/outbox.ts';
import { StatusEvents } from './status/statusEvents.ts';
import { stopServices } from './stopServices.ts';

export interface ServicesOptions {
  /** Values change in place (policy/live.ts): read them when they are needed. */
  readonly policy: Policy;
  /** Reports the changes; undefined: there are none. */
  readonly policyChanges?: Pick<LivePolicy, 'onChange' | 'contactsAreOn' | 'look'>;
  /** To servers outside this machine. */
  readonly network: Network;
  readonly resourcesFolder: string;
  /** Names the program that uses a port, for an error message; null when unknown (diagnostics/portOwner.ts). */
  readonly describePortOwner: (port: number) => Promise<string | null>;
  readonly log: Logger;
  /** Wraps the spool's keys; null: a key file in the data folder does. */
  readonly keyStore?: KeyStore | null;
  /** Reports when the agent is away from the screen. */
  readonly watchSession?: StartSessionWatch;
  /** For `sightline try`, which ends by itself: no heartbeat, and its end is no event. */
  readonly isTemporary?: boolean;
  /** Called with the monitors of each new run. */
  readonly onMonitors?: (recorded: readonly Monitor[]) => void;
}

export type Services = Awaited<ReturnType<typeof startServices>>;

/** @throws SightlineError when the system is not supported, or the data folder or the port not available */
export async function startServices(options: ServicesOptions) {
  const { policy, policyChanges, network, resourcesFolder, log, keyStore = systemKeyStore() } = options;
  requireSupportedSystem();
  const authentication = authenticationOf(policy, network, log);
  const unlock = lockDataFolder(policy.dataDir);
  await makePrivate(policy.dataDir, log);

  const clock = new SystemClock();
  const finder = new FfmpegFinder(policy, resourcesFolder, log);
  const displays = displaysOf({ platform: process.platform, policy });
  const spawn = ffmpegSpawner(log);
  const slates = new Slates({ finder, spawn, resourcesFolder, policy });
  const onListenerError = (error: unknown) => log.error('a listener failed', { reason: String(error) });
  const hub = new StatusHub(onListenerError, () => clock.now());
  const outbox = new Outbox({ folder: join(policy.dataDir, 'outbox'), log });
  const eventBridge = new EventBridge({
    ...{ policy, network, outbox, clock, log },
    credentials: () => uploads.eventCredentials(),
  });
  let monitors: number | undefined;
  const encoder = () => finder.current?.encoder;
  const events = {
    ...{ policy, hub, log, newEventId: randomUUID },
    clientInfo: () => ({ appVersion, os: osName(), monitors, encoder: encoder() }),
  };
  const statusEvents = new StatusEvents({ ...events, eventBridge, clock });
  const announcer = new Announcer(statusEvents, log);
  const storage = openSpool({ policy, keyStore, announcer, encoder, clock, log });
  const { spool, current, memory, unreadable } = storage;
  const uploads = startUploads({
    ...{ policy, network, current, announcer, statusEvents, clock, log },
    makeSlate: (order) => slates.make(order),
    makeBadge: (order) => slates.badge(order),
    blankFormat: () => formatWithoutFrames(finder, displays, policy.fps),
    onChange: (now) => hub.update({ uploads: unreadable.addTo(now) }),
    onCredentials: () => eventBridge.credentialsCame(),
    onUploaded: (manifest, ms) => fleet?.uploaded(manifest, ms),
  });
  const { publisher } = uploads;

  const capture = new Capture({
    ...{ finder, displays, spawn, clock, policy, log },
    ports: {
      ...journalRuns({
        ...{ current, clock, log },
        dispatch: (event) => session.dispatch(event),
        onOpened: (recorded) => {
          monitors = Math.max(1, recorded.length);
          options.onMonitors?.(recorded);
        },
        onLive: uploads.runBegan,
        onGrown: uploads.grew,
      }),
      onDisplaysChanged: (change) => pauses.displaysChanged(change),
    },
  });
  const session: Session = new Session(
    {
      ...{ clock, capture, newId: randomUUID, log, onState },
      journal: storage.journal,
      guard: () => current.guard(),
      announce: (effect) => void announcer.announceDecision(effect, current),
      pushResumed: (resumed) => hub.pushResumed(resumed),
      publish: uploads.publish,
    },
    policy,
  );
  const pauses = new Pauses({ policy, dispatch: (event) => session.dispatch(event), clock, log });
  let portProblem: Failure | null = null;
  let recovered = (): void => undefined;
  let runChecks: (() => Promise<ChecksReply['checks']>) | null = null;
  const recovery = new Promise<void>((resolve) => (recovered = resolve));
  const readiness = new Readiness({
    findEncoder: () => finder.find(),
    createKey: storage.createKey,
    reachDisplay: () => displays.reach(),
    ...{ policy, recovery, log, onChange: showState },
  });

  function showState(): void {
    hub.update(shownState(session.current, readiness.problem ?? portProblem));
  }

  const signalToInstaller = contactSignal(log);
  function onState(): void {
    const contactsAreOn = !isQuiet(session.current);
    signalToInstaller(contactsAreOn);
    showState();
    uploads.contactsAreOn(contactsAreOn);
    fleet?.contactsAreOn(contactsAreOn);
    if (!contactsAreOn) {
      // The next contact gets a spool folder, a canvas and a clock anchor that do not depend on this one.
      capture.forgetCanvas();
      clock.reanchor();
      current
        .end(session.written.then(() => announcer.idle()))
        .catch((error: unknown) => log.warn('the spool could not be tidied', { reason: String(error) }));
    }
    policyChanges?.contactsAreOn(contactsAreOn);
    if (!contactsAreOn) server.disconnectUnallowed();
  }

  const fleet: Fleet | null =
    options.isTemporary === true
      ? null
      : new Fleet({
          ...{ ...events, statusEvents, network },
          policyHash: () => policyHash(policy),
          agent: () => {
            const { agent } = session.current;
            return agent === null || isTrialIdentity(agent) ? null : agent;
          },
          backlog: () => backlogOf(publisher.unpublished),
        });
  const trials = new Trials({
    ...{ session, policy, nextAttempt: uploads.nextAttempt, eventsWritten: uploads.eventsWritten },
    ready: () => readiness.describe().then(() => readiness.problem),
  });
  const refusedContacts = new RefusedContacts({
    ...{ clock, log },
    announce: (...refused) => announcer.announceRefused(randomUUID(), ...refused),
  });
  const server = new PageServer({
    ...{ port: policy.port, openedBy: policy.sharedPort, guard: policy, log },
    describePortOwner: options.describePortOwner,
    onProblem: (problem) => {
      portProblem = problem;
      showState();
    },
    page: { session, hub, readiness, authentication, refusedContacts, onToken: uploads.tokenCame },
    control: { dataDir: policy.dataDir, publisher, recovery, trials, runChecks: () => runChecks?.() ?? null },
  });
  await server.open().catch((error: unknown) => {
    unlock();
    throw error;
  });
  await fleet?.begin();
  const endFollowing = policyChanges?.onChange((keys) => {
    for (const service of [finder, readiness, uploads, pauses, eventBridge]) service.policyChanged(keys);
    fleet?.policyChanged(keys);
    statusEvents.retryNow();
    server.disconnectUnallowed();
  });

  eventBridge.start();
  // Recovery needs to know the encoder; `readiness` reports why there is none.
  await finder.find().catch(() => undefined);
  await recover({
    ...{ spool, current, memory, unreadable, clock, publisher, capture, log },
    restore: (state) => session.dispatch({ type: 'restored', ...state }),
  }).catch((error: unknown) => log.error('the spool could not be recovered', { reason: String(error) }));
  hub.update({ uploads: unreadable.addTo(publisher.uploads) });
  // Not before recovery: a new key would hide that the key of an unpublished recording is gone.
  await readiness.check();
  recovered();
  // The agent is back: where nothing reports policy changes, this is the time to look for one.
  if (options.watchSession) pauses.follow(options.watchSession, () => void policyChanges?.look());
  policyChanges?.contactsAreOn(!isQuiet(session.current));

  return {
    port: server.port,
    ...{ hub, session, publisher, eventBridge },
    /** For the status window and the health checks, which only read. */
    parts: { currentSession: current, displays, finder, clock, policy, network },
    /** How the command line's request for checks is answered. */
    answerChecks: (run: () => Promise<ChecksReply['checks']>) => void (runChecks = run),
    /** What the reply to `hello` says about this recorder; runs ffmpeg if no encoder is known yet. */
    describe: () => readiness.describe(),
    trials,
    /** Completes what is open, publishes what it can within the time given, and ends. The next start finds the rest. */
    stop: (withinMs: number, cause: EndCause): Promise<void> =>
      stopServices(
        {
          ...{ session, publisher, announcer, statusEvents, eventBridge, fleet, pauses, displays },
          ...{ server, endFollowing, unlock, log },
        },
        ...[withinMs, cause],
      ),
  };
}
