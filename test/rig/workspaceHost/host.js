// The workspace's side of the channel to an app, written from what @amazon-connect/app 1.0.11, contact 1.0.12 and core send and
// expect (app-proxy.js, proxy.js, contact-client.js): handshake, acknowledge, life cycle, subscriptions, requests. Tests move
// contacts with `workspace`, and every step publishes the events that Amazon's types name. Query: `app` (address of the app),
// `allow` (of its frame), `silent` (requests that are never answered), `missing` (requests that are not known).

const query = new URL(location.href).searchParams;
const commands = (name) => (query.get(name) ?? '').split(',').filter((one) => one !== '');
const silent = commands('silent');
const missing = commands('missing');
const AGENT_ARN =
  'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555/agent/alice';

/** By contactId; the agent's own participant has the state that decides. */
const contacts = new Map();
let port;
let subscriptions = [];
let checks = 0;
const log = [];

function publish(key, contact) {
  const { contactId, initialContactId, type, subtype } = contact;
  const namespace = 'aws.connect.contact';
  const topics = new Map(subscriptions.map(({ topic }) => [JSON.stringify(topic), topic]));
  // Without a handlerId: the library calls all handlers of the topic.
  for (const topic of topics.values()) {
    const isMeant = topic.parameter === undefined || topic.parameter === contactId;
    if (topic.namespace !== namespace || topic.key !== key || !isMeant) continue;
    port?.postMessage({ type: 'publish', topic, data: { contactId, initialContactId, type, subtype } });
  }
}

const answers = {
  'agent/getARN': () => ({ ARN: AGENT_ARN }),
  'agent/getName': () => ({ name: 'Alice' }),
  'contact/listContacts': () =>
    [...contacts.values()].map(({ contactId, initialContactId, type, subtype }) => ({
      ...{ contactId, initialContactId, type, subtype },
    })),
  'contact/listParticipants': ({ contactId }) => [
    {
      participantId: `customer:${contactId}`,
      contactId,
      type: { value: 'inbound' },
      isInitial: true,
      isSelf: false,
    },
    {
      participantId: `agent:${contactId}`,
      contactId,
      type: { value: 'agent' },
      isInitial: false,
      isSelf: true,
    },
  ],
  'contact/getParticipantState': ({ participantId }) => ({
    value: contacts.get(participantId.split(':')[1])?.state ?? 'disconnected',
  }),
  'contact/getQueue': ({ contactId }) => ({
    name: contacts.get(contactId).queue,
    queueARN: 'arn:q',
    queueId: 'q',
  }),
  'contact/getAttributes': ({ contactId, attributes }) => {
    const all = contacts.get(contactId).attributes ?? {};
    if (attributes === '*') return all;
    return Object.fromEntries(attributes.flatMap((name) => (name in all ? [[name, all[name]]] : [])));
  },
};

function answer({ namespace, command, requestId, data }) {
  if (silent.includes(command)) return;
  const reply = answers[command];
  const head = { type: 'response', namespace, requestId };
  if (reply === undefined || missing.includes(command)) {
    const details = { command, requestData: data };
    port.postMessage({ ...head, isError: true, errorKey: 'noHandler', reason: 'No handler', details });
    return;
  }
  port.postMessage({ ...head, isError: false, data: reply(data) });
}

function received({ data: message }) {
  if (message.type === 'subscribe') subscriptions.push(message);
  else if (message.type === 'unsubscribe') {
    const same = ({ topic: a }) => JSON.stringify(a) === JSON.stringify(message.topic);
    subscriptions = subscriptions.filter((one) => !same(one));
  } else if (message.type === 'request') answer(message);
  else if (message.type === 'healthCheck') {
    port.postMessage({ type: 'healthCheckResponse', time: Date.now(), counter: ++checks });
  } else if (message.type === 'appLifecycleHandlerCompleted' && message.stage === 'create')
    lifecycle('start');
  log.push(message.type);
}

function lifecycle(stage) {
  const config = { arn: 'arn:app', name: 'App', accessUrl: query.get('app') };
  const instanceId = 'app-1';
  port.postMessage({ type: 'appLifecycle', stage, instanceId, config, launchedBy: { type: 'unknown' } });
}

addEventListener('message', (event) => {
  if (event.data?.type !== 'connect-app-host-init') return;
  // A reloaded app begins anew.
  subscriptions = [];
  [port] = event.ports;
  port.onmessage = received;
  port.postMessage({
    type: 'acknowledge',
    connectionId: 'c-1',
    status: { initialized: true },
    healthCheckInterval: 0,
  });
  lifecycle('create');
});

function change(contactId, state, ...keys) {
  const contact = contacts.get(contactId);
  contact.state = state;
  for (const key of keys) publish(key, contact);
}

globalThis.workspace = {
  log,
  subscribed: () => subscriptions.map(({ topic }) => topic.key),
  /** A contact that is offered to the agent. */
  incoming(contact) {
    contacts.set(contact.contactId, {
      type: 'voice',
      subtype: 'connect:Telephony',
      queue: 'Sales',
      ...contact,
    });
    change(contact.contactId, 'connecting', 'contact/incoming', 'contact/connecting');
  },
  connect: (contactId) => change(contactId, 'connected', 'contact/connected'),
  hold: (contactId) => change(contactId, 'hold'),
  acw: (contactId) => change(contactId, 'disconnected', 'contact/acw'),
  clear(contactId) {
    change(contactId, 'disconnected', 'contact/destroy', 'contact/cleared');
    contacts.delete(contactId);
  },
  miss: (contactId) => change(contactId, 'rejected', 'contact/missed'),
  /** While the app is being loaded. */
  forget: (contactId) => contacts.delete(contactId),
};

const frame = document.createElement('iframe');
frame.title = 'App';
frame.allow = query.get('allow') ?? '';
frame.setAttribute('sandbox', 'allow-forms allow-popups allow-same-origin allow-scripts');
frame.src = query.get('app');
document.body.append(frame);
