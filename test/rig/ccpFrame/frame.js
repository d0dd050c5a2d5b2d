// The page inside the CCP's iframe. Toward its parent it does what Connect's own page does with its shared worker and its conduit
// (amazon-connect-streams 2.28.2: initSharedWorker, ClientEngine): acknowledges, answers requests, passes broadcasts to every
// tab, and delivers the agent's snapshots. Its knowledge comes from the service (service.ts) as server-sent events.
'use strict';
const said = document.getElementById('said');
const id = crypto.randomUUID();
const toParent = (event, data) => parent.postMessage({ event, data }, '*');

/** The shared worker delivers real dates; JSON does not. */
const DATES = new Set([
  'timestamp',
  'timeStamp',
  'startTimestamp',
  'queueTimestamp',
  'snapshotTimestamp',
  'localTimestamp',
]);
const withDates = (text) =>
  JSON.parse(text, (key, value) => (DATES.has(key) && value ? new Date(value) : value));
const post = (path, body) =>
  fetch(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

let signedIn = false;
const service = new EventSource('events');
service.addEventListener('signed-in', () => {
  signedIn = true;
  toParent('acknowledge', { id });
});
service.addEventListener('update', ({ data }) => {
  const agent = withDates(data);
  said.textContent = `${agent.configuration.name} · ${agent.snapshot.state.name} · ${agent.snapshot.contacts.length} contacts`;
  toParent('agent::update', agent);
});
service.addEventListener('broadcast', ({ data }) => {
  const { event, data: content } = JSON.parse(data);
  toParent(event, content);
});
service.addEventListener('signed-out', () => {
  signedIn = false;
  said.textContent = 'Signed out';
  toParent('terminated', {});
});

/** Logs and metrics, which Connect would send to its servers. */
const UNANSWERED = new Set([
  'log',
  'server_bound_internal_log',
  'client_metric',
  'api_metric',
  'click_stream_data',
]);

const handlers = {
  synchronize: () => toParent('acknowledge', { id }),
  async api_request(request) {
    const { requestId, method, params } = request;
    const reply = await (await post('api', { method, params })).json();
    toParent('api_response', { event: 'api_response', requestId, data: reply.data, err: reply.err ?? null });
  },
  master_request: ({ requestId, params }) =>
    toParent('master_response', {
      event: 'master_response',
      requestId,
      data: { masterId: id, isMaster: true, takeOver: false, topic: params.topic },
      err: null,
    }),
  broadcast(message) {
    if (!UNANSWERED.has(message.event)) void post('broadcast', message);
  },
};

addEventListener('message', ({ source, data }) => {
  if (source !== parent || !signedIn || typeof data?.event !== 'string') return;
  if (Object.hasOwn(handlers, data.event)) handlers[data.event](data.data);
});
