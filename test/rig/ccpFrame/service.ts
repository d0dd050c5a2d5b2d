// A stand-in for Amazon Connect and its CCP page, for the real Streams library: a loopback origin whose page /ccp-v2/ the
// library's `connect.core.initCCP` puts into an iframe. Tests and the demo drive it with verbs. Like Connect it keeps the agent's state
// while pages come and go, and every tab sees the same.
//
// It is written from amazon-connect-streams 2.28.2 alone. What Connect itself does where the library is silent (such as the values
// of screenRecordingState) is an assumption; docs/ccp.md lists them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { startPageServer, type Route } from '../pageServer.ts';
import { newAgentState, type AgentState, type NewContact } from './agentState.ts';

type Changing = Omit<AgentState, 'update' | 'contacts' | 'configuration' | 'accepted'>;

export interface ConnectStandIn extends Changing {
  readonly origin: string;
  /** For `initCCP`. */
  readonly ccpUrl: string;
  readonly agentArn: string;
  readonly contacts: AgentState['contacts'];
  /** Tabs whose frame is connected. */
  readonly tabs: number;
  /** Of the newest snapshot; a page finds it in the snapshot. */
  readonly sequence: number;
  /** API requests of pages so far, by name. */
  readonly requests: readonly string[];
  /** The agent accepts in any tab: every tab gets `onAccepted`. A deskphone's acceptance is not announced. */
  accept(contactId: string): void;
  /** Changes that pages see as a single snapshot, because Connect's polling missed what was between them. */
  atOnce(changes: () => void): void;
  /** Accepted contacts are connected at once (default), or only by `connect`. */
  connectsOnAccept: boolean;
  /** Without contacts again, signed in as `username`. */
  signInAs(username: string, agentId?: string): void;
  signOut(): void;
  stop(): Promise<void>;
}

const file = (name: string): Route => ({ file: fileURLToPath(new URL(name, import.meta.url)) });

/** @param options.isSignedIn false: the frame shows a login page and does not acknowledge, until `signInAs` */
export async function startConnectStandIn(
  options: { username?: string; isSignedIn?: boolean } = {},
): Promise<ConnectStandIn> {
  let agent = newAgentState(options.username);
  let isSignedIn = options.isSignedIn ?? true;
  let holdBack = false;
  let sequence = 0;
  const tabs = new Set<ServerResponse>();
  const requests: string[] = [];

  const send = (tab: ServerResponse, event: string, data: unknown): void =>
    void tab.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const sendAll = (event: string, data: unknown): void => {
    for (const tab of tabs) send(tab, event, data);
  };
  const update = (): void => {
    if (!isSignedIn || holdBack) return;
    sequence += 1;
    sendAll('update', agent.update(sequence));
  };

  const server = await startPageServer({
    routes: {
      '/ccp-v2/': file('frame.html'),
      '/ccp-v2/frame.js': file('frame.js'),
      '/ccp-v2/events': (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        tabs.add(response);
        response.on('close', () => tabs.delete(response));
        if (!isSignedIn) return;
        send(response, 'signed-in', {});
        send(response, 'update', agent.update(sequence));
      },
      '/ccp-v2/api': async (request, response) => {
        const { method, params } = (await json(request)) as {
          method: string;
          params: Record<string, unknown>;
        };
        requests.push(method);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer(method, params)));
      },
      '/ccp-v2/broadcast': async (request, response) => {
        sendAll('broadcast', await json(request));
        response.writeHead(204).end();
      },
    },
  });

  /** Every verb is followed by a snapshot. */
  const verbs = {} as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, verb] of Object.entries(agent)) {
    if (typeof verb !== 'function') continue;
    verbs[name] = (...args) => {
      // By name: after `signInAs` it is another agent's.
      const result = (agent as unknown as Record<string, (...all: unknown[]) => unknown>)[name]!(...args);
      update();
      return result;
    };
  }
  const act = verbs as unknown as AgentState;

  /** As the CTI API: an empty object, or an error in `err` as a JSON string (ClientEngine.handleAPIRequest). */
  function answer(method: string, params: Record<string, unknown>): { data?: unknown; err?: string } {
    const contactId = String(params.contactId);
    const known: Record<string, () => unknown> = {
      acceptContact: () => {
        act.accepted(contactId);
        // After the answer: the library announces the acceptance when it has it.
        if (standIn.connectsOnAccept && agent.contacts.get(contactId)?.type !== 'queue_callback')
          setImmediate(() => agent.contacts.has(contactId) && act.connect(contactId));
      },
      rejectContact: () => act.reject(contactId),
      clearContact: () => act.clear(contactId),
      completeContact: () => act.clear(contactId),
      destroyContact: () => act.endCall(contactId),
      destroyConnection: () => act.endCall(contactId),
      holdConnection: () => act.hold(contactId),
      resumeConnection: () => act.unhold(contactId),
      toggleActiveConnections: () => act.unhold(contactId),
      conferenceConnections: () => act.conference(contactId),
      createAdditionalConnection: () => act.consult(contactId),
      createOutboundContact: () => ({ contactId: act.outbound() }),
      pauseContact: () => act.pauseTask(contactId),
      resumeContact: () => act.resumeTask(contactId),
      putAgentState: () => {
        const { name, type } = params.state as { name: string; type: string };
        act.setAvailability(name, type);
      },
      getEndpoints: () => ({ endpoints: [], nextToken: null }),
      ...Object.fromEntries(
        [
          'sendClientLogs',
          'sendSoftphoneCallMetrics',
          'sendSoftphoneCallReport',
          'muteParticipant',
          'unmuteParticipant',
        ].map((name) => [name, () => undefined]),
      ),
    };
    const handler = Object.hasOwn(known, method) ? known[method] : undefined;
    if (handler === undefined)
      return { err: JSON.stringify({ message: `The stand-in does not know ${method}.` }) };
    try {
      return { data: handler() ?? {} };
    } catch (error) {
      return { err: JSON.stringify({ message: String(error) }) };
    }
  }

  const standIn: ConnectStandIn = {
    ...act,
    origin: server.origin,
    ccpUrl: `${server.origin}/ccp-v2/`,
    get agentArn() {
      return agent.configuration.agentARN;
    },
    get contacts() {
      return agent.contacts;
    },
    get tabs() {
      return tabs.size;
    },
    get sequence() {
      return sequence;
    },
    requests,
    connectsOnAccept: true,
    accept(contactId) {
      for (const event of ['contact::accepted', `contact::accepted::${contactId}`])
        sendAll('broadcast', { event, data: { contactId } });
      act.accepted(contactId);
      if (standIn.connectsOnAccept && agent.contacts.get(contactId)?.type !== 'queue_callback')
        act.connect(contactId);
    },
    atOnce(changes) {
      holdBack = true;
      try {
        changes();
      } finally {
        holdBack = false;
      }
      update();
    },
    signInAs(username, agentId) {
      agent = newAgentState(username, agentId);
      const was = isSignedIn;
      isSignedIn = true;
      if (!was) sendAll('signed-in', {});
      update();
    },
    signOut() {
      isSignedIn = false;
      sendAll('signed-out', {});
    },
    stop: () => server.stop(),
  };
  return standIn;
}

const MOST_BYTES = 1_000_000;

async function json(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MOST_BYTES) throw new Error('The request is too long.');
  }
  return JSON.parse(text);
}

export type { NewContact };
