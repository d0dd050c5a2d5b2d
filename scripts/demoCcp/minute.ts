// The demo's script: an agent's minute. The page is driven by clicks and keys, as by an agent, and Connect by its stand-in's verbs.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { ConnectStandIn } from '../../test/rig/ccpFrame/service.ts';
import type { Film } from './film.ts';

interface Minute {
  readonly page: Page;
  readonly connect: ConnectStandIn;
  /** How long it takes; it is written for 60. */
  readonly seconds: number;
  readonly say: (text: string) => void;
  readonly film: Film | null;
}

/** What the page's script offers (page.js). */
interface DemoWindow {
  demo: {
    say(contactId: string, own: boolean, text: string): void;
    caption(text: string): void;
    point(x: number, y: number): void;
    contacts(): { contactId: string; state: string; causes: readonly string[] }[];
  };
}

const POINTER_MS = 600;
const KEY_MS = 55;

/** @returns the contacts, in the order of their beginning */
export async function playMinute({ page, connect, seconds, say, film }: Minute): Promise<string[]> {
  const began = Date.now();
  const at = (second: number): Promise<void> =>
    sleep(Math.max(0, began + (second * seconds * 1000) / 60 - Date.now()));
  const caption = async (text: string): Promise<void> => {
    say(`  ${((Date.now() - began) / 1000).toFixed(0).padStart(3)} s  ${text}`);
    await page.evaluate((shown) => (globalThis as unknown as DemoWindow).demo.caption(shown), text);
  };
  const click = async (selector: string): Promise<void> => {
    const target = page.locator(selector);
    let box = await target.boundingBox();
    // The page may have made it anew meanwhile.
    while (box === null) box = await target.boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.evaluate(([left, top]) => (globalThis as unknown as DemoWindow).demo.point(left, top), [
      x,
      y,
    ] as const);
    await sleep(POINTER_MS);
    // On a busy machine the page may have moved it since: a click at a place could meet something else.
    await target.click();
  };
  const type = (text: string): Promise<void> => page.keyboard.type(text, { delay: KEY_MS });
  const chat = (contactId: string, own: boolean, text: string): Promise<void> =>
    page.evaluate(
      ([id, mine, line]) =>
        (globalThis as unknown as DemoWindow).demo.say(id as string, mine as boolean, line as string),
      [contactId, own, text],
    );
  const becomes = async (contactId: string, state: string): Promise<void> => {
    await page.waitForFunction(
      ([id, wanted]) =>
        (globalThis as unknown as DemoWindow).demo.contacts().find((one) => one.contactId === id)?.state ===
        wanted,
      [contactId, state],
    );
  };
  const accept = async (contactId: string): Promise<void> => {
    await click(`#contact-${contactId}`);
    await click('#accept');
    await becomes(contactId, 'recording');
  };
  const close = async (contactId: string): Promise<void> => {
    await click(`#contact-${contactId}`);
    await click('#end');
    await page.locator('#clear').waitFor();
    await click('#clear');
  };

  await page.locator('#idle').waitFor();
  // The address bar has the focus of a new window.
  await page.mouse.click(5, 300);
  await caption('Anna is signed in. Nothing is recorded.');
  await at(3);
  await caption('A customer calls.');
  const call = connect.ring({
    attributes: { name: 'Sam Example', about: 'Customer since 2019 · plan “Standard”', customerTier: 'gold' },
  });
  await at(5.5);
  await caption('Recording begins when Anna accepts.');
  await accept(call);
  connect.setAvailability('Busy', 'system');
  await chat(call, true, 'Acme Support, this is Anna. How can I help?');
  await click('#notes');
  await type('Asks why the November invoice ');
  await chat(call, false, 'My November invoice is higher than usual.');
  await type('is higher.');
  await film?.picture('recording');

  await at(13);
  await caption('A chat comes in. Each contact has its own recording.');
  const mia = connect.chat({ queue: 'Claims', attributes: { name: 'Mia Torres', about: 'Claim 4711' } });
  await chat(mia, false, 'Hello! Is there any news about my claim?');
  await accept(mia);
  await chat(mia, true, 'Hi Mia, let me have a look.');
  await at(19);
  const leo = connect.chat({ attributes: { name: 'Leo Brandt', about: 'Customer since 2024' } });
  await chat(leo, false, 'My card was charged twice.');
  await accept(leo);
  await chat(leo, true, 'I am sorry about that, Leo. You get a refund today.');
  await film?.picture('several');

  await at(25);
  await caption('A card payment: nothing is captured while Anna is in the form.');
  await click(`#contact-${call}`);
  await chat(call, true, 'It has the data package of the 4th. Would you like to pay it now?');
  await chat(call, false, 'Yes, by card please.');
  await click('#card');
  await becomes(call, 'suspended');
  await type('4111 1111 1111 1111');
  await film?.picture('payment');
  await click('#expires');
  await type('12 / 29');
  await click('#cvc');
  await type('737');
  await at(34);
  await click('#pay');
  await becomes(call, 'recording');
  await caption('Paid. Recording continues.');

  await at(38);
  await caption('A flow suspends the recording: the customer enters a PIN.');
  connect.setScreenRecordingState(call, 'SUSPENDED');
  await becomes(call, 'suspended');
  await at(42.5);
  connect.setScreenRecordingState(call, 'RESUMED');
  await becomes(call, 'recording');
  await caption('The flow resumes it.');

  await at(45);
  await caption('A task: recorded while Anna works on it.');
  const task = connect.task({ attributes: { name: 'Refund for Leo Brandt', about: 'Due today' } });
  await accept(task);
  await at(49.5);
  await click('#end');

  await at(51);
  await caption('The call ends. After-contact work is not recorded.');
  await close(call);
  await at(54);
  await close(mia);
  await close(leo);
  connect.setAvailability('Available', 'routable');
  await caption('One MP4 and one manifest for each contact.');
  await at(60);
  return [call, mia, leo, task];
}
