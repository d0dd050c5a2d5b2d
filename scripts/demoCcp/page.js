// A custom CCP on Amazon Connect Streams, as a developer would write it. Recording takes the lines between the two marks; the
// rest is the page itself.
'use strict';
/* global connect, Sightline */
const settings = JSON.parse(document.querySelector('meta[name=settings]').content);
const $ = (id) => document.getElementById(id);

connect.core.initCCP($('ccp'), {
  ccpUrl: settings.ccpUrl,
  loginPopup: false,
  softphone: { allowFramedSoftphone: true },
});

// --- Sightline
const sightline = Sightline.streams(connect, {
  port: settings.port,
  alias: 'acme',
  attributes: ['customerTier'],
});
sightline.suspendWhile('#payment', { reason: 'card payment' });
// ---

const ICONS = {
  voice: 'M5 3h4l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2z',
  chat: 'M4 4h16v12H9l-5 4z',
  task: 'M9 5h11M9 12h11M9 19h11M4 5l1 1 1.5-2M4 12l1 1 1.5-2M4 19l1 1 1.5-2',
};
const KINDS = { voice: 'Call', chat: 'Chat', task: 'Task' };
const TAGS = { recording: 'REC', suspended: 'SUSPENDED', suspending: 'SUSPENDED' };
const STATES = { connecting: 'waiting for you', connected: 'connected', ended: 'after-contact work' };

let agent;
let shown;
/** Conversations belong to the page: Streams has none for a custom CCP. */
const lines = new Map();
const arrived = new Set();

connect.agent((one) => {
  agent = one;
  agent.onRefresh(render);
  $('agent-name').textContent = agent.getName();
});
connect.contact((contact) => {
  contact.onAccepted(() => show(contact.getContactId()));
  contact.onDestroy(() => render());
});
sightline.contacts.subscribe(() => agent && render());
setInterval(() => agent && render(), 1000);

function show(contactId) {
  shown = contactId;
  render();
}

const customerOf = (contact) => {
  const attributes = contact.getAttributes();
  return { name: attributes.name?.value ?? 'Unknown', about: attributes.about?.value ?? '' };
};

function render() {
  const { name, type } = agent.getState();
  $('agent-state').textContent = name;
  $('agent-state').parentElement.classList.toggle('busy', type !== 'routable');
  // In the order of their arrival: Connect's changes with their states.
  const contacts = agent.getContacts();
  for (const contact of contacts) arrived.add(contact.getContactId());
  const order = [...arrived];
  contacts.sort((a, b) => order.indexOf(a.getContactId()) - order.indexOf(b.getContactId()));
  $('no-contacts').hidden = contacts.length > 0;
  $('contacts').replaceChildren(...contacts.map(listed));
  const contact = contacts.find((one) => one.getContactId() === shown) ?? contacts[0];
  $('contact').hidden = contact === undefined;
  $('idle').hidden = contact !== undefined;
  if (contact !== undefined) renderContact(contact);
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function listed(contact) {
  const contactId = contact.getContactId();
  const state = contact.getStatus().type;
  const rings = state === 'connecting' ? ' rings' : '';
  const item = element('li', (contactId === shown ? 'shown' : '') + rings);
  const icon = element('span', 'icon');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[contact.getType()]);
  svg.append(path);
  icon.append(svg);
  const recorded = sightline.contacts.contacts.find((one) => one.contactId === contactId)?.state;
  const tag = TAGS[recorded];
  const kind = tag === 'REC' ? 'recording' : tag === undefined ? 'other' : 'suspended';
  item.append(
    icon,
    element('span', 'name', customerOf(contact).name),
    element('span', tag === undefined ? '' : `tag ${kind}`, tag ?? ''),
    element(
      'span',
      'what',
      `${KINDS[contact.getType()]} · ${contact.getQueue().name} · ${STATES[state] ?? state}`,
    ),
  );
  item.id = `contact-${contactId}`;
  item.onclick = () => show(contactId);
  return item;
}

function renderContact(contact) {
  const { name, about } = customerOf(contact);
  const state = contact.getStatus();
  $('contact-kind').textContent = `${KINDS[contact.getType()]} · ${contact.getQueue().name}`;
  $('contact-name').textContent = name;
  $('contact-about').textContent = about;
  const seconds = Math.max(0, Math.floor((Date.now() - state.timestamp) / 1000));
  $('contact-time').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  const recorded = sightline.contacts.contacts.find((one) => one.contactId === contact.getContactId());
  $('flow-banner').hidden = !(recorded?.causes.includes('flow') ?? false);
  renderButtons(contact, state.type);
  const said = lines.get(contact.getContactId()) ?? [];
  $('conversation').replaceChildren(...said.map(([own, text]) => element('p', own ? 'own' : '', text)));
  $('customer-name').textContent = name;
  $('customer-about').textContent = about;
  $('avatar').textContent = name
    .split(' ')
    .map((word) => word[0])
    .join('');
}

/** Made anew only when they change: a click may be under way. */
let buttonsFor = '';
function renderButtons(contact, state) {
  const customer = contact.getType() === 'voice' ? contact.getInitialConnection() : undefined;
  const onHold = customer?.isOnHold() ?? false;
  const key = [contact.getContactId(), state, onHold].join();
  if (key === buttonsFor) return;
  buttonsFor = key;
  const button = (id, text, className, act) => {
    const made = element('button', className, text);
    made.id = id;
    made.onclick = act;
    return made;
  };
  const suspend = button('suspend', 'Suspend recording', '', () => {
    const isSuspended = suspend.classList.toggle('pressed');
    suspend.textContent = isSuspended ? 'Resume recording' : 'Suspend recording';
    if (isSuspended) sightline.suspend(contact.getContactId());
    else sightline.resume(contact.getContactId());
  });
  const all = {
    connecting: () => [
      button('accept', 'Accept', 'accept', () => contact.accept()),
      button('reject', 'Decline', '', () => contact.reject()),
    ],
    connected: () => [
      ...(customer === undefined
        ? []
        : [
            button('hold', onHold ? 'Resume call' : 'Hold', onHold ? 'pressed' : '', () =>
              onHold ? customer.resume() : customer.hold(),
            ),
          ]),
      suspend,
      button('end', customer === undefined ? 'End' : 'End call', 'end', () => {
        if (contact.getType() === 'task') contact.complete();
        else contact.getAgentConnection().destroy();
      }),
    ],
    ended: () => [button('clear', 'Close contact', 'primary', () => contact.clear())],
  };
  $('buttons').replaceChildren(...(all[state]?.() ?? []));
}

$('payment').addEventListener('submit', (event) => {
  event.preventDefault();
  for (const id of ['card', 'expires', 'cvc']) $(id).value = '';
  $('invoice').textContent = 'paid';
  $('invoice').className = 'paid';
  document.activeElement.blur();
});

/** For the demo's script alone: what a chat's or a call's other side says, captions, and a pointer that can be seen. */
window.demo = {
  say(contactId, own, text) {
    lines.set(contactId, [...(lines.get(contactId) ?? []), [own, text]]);
    if (agent) render();
  },
  caption(text) {
    $('caption').textContent = text;
    $('caption').hidden = text === '';
  },
  point(x, y) {
    $('pointer').removeAttribute('hidden');
    $('pointer').style.translate = `${x}px ${y}px`;
  },
  contacts: () =>
    sightline.contacts.contacts.map(({ contactId, state, causes }) => ({ contactId, state, causes })),
  show,
};
