// suspendWhile with real focus, real keys and real layout in Chromium. Whether anything is captured is asked of the recorder.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  startStreamsDesk,
  type StreamsDesk,
  type StreamsTab,
  type StreamsWindow,
} from '../rig/ccpFrame/streamsDesk.ts';

/** Short, but far longer than a focus event takes to the next field. */
const RESUME_AFTER_MS = 250;
/** Two clocks in whole milliseconds, and a timer. */
const CLOCKS_MS = 5;
const FORM = '<form id="payment"><input id="card"><input id="cvc"></form><input id="notes">';

let desk: StreamsDesk;

beforeAll(async () => {
  desk = await startStreamsDesk();
});
afterAll(() => desk.stop());
afterEach(() => desk.clean());

interface Opened {
  readonly tab: StreamsTab;
  readonly contactId: string;
  readonly becomes: (state: 'recording' | 'suspended') => Promise<void>;
  /** For what must not change: the recorder has everything that the page has sent. */
  readonly stays: (state: 'recording' | 'suspended') => Promise<void>;
}

/** A page with a call that is being recorded. */
async function open(body: string, where = '#payment', options: object = {}): Promise<Opened> {
  const given = JSON.stringify({ resumeAfterMs: RESUME_AFTER_MS, ...options });
  const script = `window.end = sightline.suspendWhile(${JSON.stringify(where)}, ${given});`;
  const tab = await desk.open({ body, script });
  const contactId = await desk.call(tab);
  await desk.becomes(contactId, 'recording');
  return {
    tab,
    contactId,
    becomes: (state) => desk.becomes(contactId, state),
    async stays(state) {
      await tab.settled();
      expect(await desk.stateOf(contactId)).toBe(state);
    },
  };
}

describe('while an element has focus', () => {
  it('nothing is captured from before the first key until after the last, with the delay', async () => {
    const { tab, contactId, becomes } = await open(FORM, '#payment', { reason: 'card payment' });
    await tab.page.evaluate(`{
      window.keys = [];
      document.addEventListener('keydown', () => keys.push(Date.now()), true);
      document.addEventListener('focusout', () => (window.left = Date.now()), true);
    }`);
    await tab.page.click('#card');
    await tab.page.keyboard.type('4111');
    await tab.page.click('#cvc');
    await tab.page.keyboard.type('123');
    const keys = await tab.page.evaluate(() => (globalThis as unknown as { keys: number[] }).keys);
    await becomes('suspended');
    await tab.page.click('#notes');
    const left = await tab.page.evaluate<number>('left');
    await becomes('recording');
    desk.connect.endCall(contactId);
    const { suspensions } = await desk.manifestOf(contactId);
    expect(suspensions).toHaveLength(1);
    const [suspension] = suspensions;
    expect(suspension!.reason).toBe('card payment');
    expect(Date.parse(suspension!.suspendedAt)).toBeLessThanOrEqual(keys[0]!);
    expect(Date.parse(suspension!.resumedAt!)).toBeGreaterThanOrEqual(left + RESUME_AFTER_MS - CLOCKS_MS);
  });

  it('removed with the focus in it, it leaves nothing suspended', async () => {
    const { tab, becomes } = await open(FORM);
    await tab.page.focus('#card');
    await becomes('suspended');
    await tab.page.evaluate("document.getElementById('payment').remove()");
    await becomes('recording');
  });

  it('hidden, disabled or renamed, neither', async () => {
    for (const change of ['payment.hidden = true', 'card.disabled = true', "payment.id = 'other'"]) {
      const { tab, becomes } = await open(FORM);
      await tab.page.focus('#card');
      await becomes('suspended');
      await tab.page.evaluate(
        `((payment, card) => { ${change}; })(document.getElementById('payment'), document.getElementById('card'))`,
      );
      await becomes('recording');
      await desk.clean();
    }
  });

  it('counts when it appears later', async () => {
    const { tab, becomes, stays } = await open('<input id="notes">');
    await tab.page.focus('#notes');
    await stays('recording');
    await tab.page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(FORM)})`);
    await tab.page.focus('#card');
    await becomes('suspended');
  });

  it('counts when the focused element becomes one', async () => {
    const { tab, becomes } = await open('<input id="notes">', '.secret');
    await tab.page.focus('#notes');
    await tab.page.evaluate("document.getElementById('notes').className = 'secret'");
    await becomes('suspended');
  });

  it('counts when it has the focus already when the watching begins, and for contacts that are accepted then', async () => {
    const body = '<input id="card" autofocus>';
    const tab = await desk.open({
      body,
      script: "document.getElementById('card').focus(); sightline.suspendWhile('#card');",
    });
    const contactId = await desk.call(tab);
    await desk.becomes(contactId, 'suspended');
  });

  it.each(['open', 'closed'])('counts in a shadow root that is %s', async (mode) => {
    const body = '<div id="payment"></div><input id="notes">';
    const { tab, becomes } = await open(body);
    await tab.page.evaluate(`{
      const root = document.getElementById('payment').attachShadow({ mode: '${mode}' });
      root.innerHTML = '<input>';
      window.inner = root.querySelector('input');
      inner.focus();
    }`);
    await becomes('suspended');
    await tab.page.focus('#notes');
    await becomes('recording');
  });

  it('counts by a selector inside an open shadow root, and ends when it is removed there', async () => {
    const { tab, becomes } = await open('<div id="host"></div>', '.card');
    await tab.page.evaluate(`{
      window.root = document.getElementById('host').attachShadow({ mode: 'open' });
      root.innerHTML = '<input class="card">';
      root.firstChild.focus();
    }`);
    await becomes('suspended');
    await tab.page.evaluate('root.firstChild.remove()');
    await becomes('recording');
  });

  it('counts in an iframe of another origin', async () => {
    const provider = '<!doctype html><input autocomplete="off">';
    desk.server.routes['/provider.html'] = provider;
    const origin = desk.server.origin.replace('127.0.0.1', 'localhost');
    const { tab, becomes } = await open(
      `<div id="payment"><iframe src="${origin}/provider.html"></iframe></div><input id="notes">`,
    );
    await tab.page.frameLocator('#payment iframe').locator('input').click();
    await becomes('suspended');
    await tab.page.click('#notes');
    await becomes('recording');
  });

  it('is over when the watching is ended', async () => {
    const { tab, becomes, stays } = await open(FORM);
    await tab.page.focus('#card');
    await becomes('suspended');
    await tab.page.evaluate('end()');
    await becomes('recording');
    await tab.page.focus('#cvc');
    await stays('recording');
  });

  it('leaves nothing suspended when the page is reloaded in the form', async () => {
    const { tab, becomes } = await open(FORM);
    await tab.page.focus('#card');
    await becomes('suspended');
    await tab.page.reload();
    await becomes('recording');
  });

  it('two watchers of one selector do not end each other’s suspension', async () => {
    const { tab, becomes, stays } = await open(FORM);
    await tab.page.evaluate("window.other = sightline.suspendWhile('#payment')");
    await tab.page.focus('#card');
    await becomes('suspended');
    await tab.page.evaluate('other()');
    await stays('suspended');
  });

  it('refuses a selector that the browser does not know', async () => {
    const { tab } = await open(FORM);
    await expect(tab.page.evaluate("sightline.suspendWhile('#[')")).rejects.toThrow(/selector/);
  });
});

describe('while an element can be seen', () => {
  const VISIBLE = { when: 'visible' };
  const card = (style: string): string =>
    `<style>.off { display: none }</style><div id="box"><p id="payment" style="${style}">card</p></div>`;

  it.each([
    ['its own display', "payment.style.display = 'none'", "payment.style.display = ''"],
    ['the class of what it is in', "box.className = 'off'", "box.className = ''"],
    ['the attribute hidden', 'payment.hidden = true', 'payment.hidden = false'],
    ['visibility', "box.style.visibility = 'hidden'", "box.style.visibility = ''"],
    ['its place in the document', 'payment.remove()', 'box.append(payment)'],
    ['scrolling', 'scrollTo(0, 5000)', 'scrollTo(0, 0)'],
  ])('%s decides', async (_, hide, show) => {
    const body = `${card('')}<div style="height: 6000px"></div>`;
    const { tab, becomes } = await open('', '#payment', VISIBLE);
    await tab.page.evaluate(
      `document.body.insertAdjacentHTML('afterbegin', ${JSON.stringify(body)}); window.saved = [payment, box];`,
    );
    const run = (act: string) => tab.page.evaluate(`((payment, box) => { ${act}; })(...saved)`);
    await becomes('suspended');
    await run(hide);
    await becomes('recording');
    await run(show);
    await becomes('suspended');
  });

  it('counts from its appearance, not from the next frame', async () => {
    const { tab, becomes } = await open('<div id="box"></div>', '#payment', VISIBLE);
    const causes = await tab.page.evaluate(async () => {
      const { document, sightline } = globalThis as unknown as StreamsWindow & {
        document: { getElementById(id: string): { innerHTML: string } };
      };
      document.getElementById('box').innerHTML = '<p id="payment">card</p>';
      // Mutations, and the list of contacts, come before the next task, and so before anything can be painted.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      return sightline.contacts.contacts[0]!.causes;
    });
    expect(causes).toEqual(['form:#payment']);
    await becomes('suspended');
  });

  it('in a box of its own that is scrolled away it does not count, whatever else changes on the page', async () => {
    const body =
      '<div id="box" style="height: 100px; overflow: auto"><p style="height: 150px"></p><p id="payment">card</p></div><p id="clock"></p>';
    const { tab, stays } = await open(body, '#payment', VISIBLE);
    await tab.page.evaluate(`(async () => {
      for (let count = 0; count < 5; count++) {
        document.getElementById('clock').textContent = String(count);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    })()`);
    await stays('recording');
  });
});
