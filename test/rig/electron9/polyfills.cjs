// What Node 24 has and Node 12, Electron 9's, has not: as far as Sightline uses it. Loaded before anything else.

require('core-js/stable');
const { performance } = require('perf_hooks');
const { AbortController, AbortSignal } = require('abort-controller');
const streams = require('web-streams-polyfill/dist/polyfill.js');
const { Socket } = require('net');

Object.assign(globalThis, { performance, AbortController, AbortSignal });
for (const name of ['ReadableStream', 'WritableStream', 'TransformStream'])
  globalThis[name] ??= streams[name];

/** Never collected: a test's process does not live that long. */
globalThis.WeakRef ??= class {
  constructor(value) {
    this.value = value;
  }
  deref() {
    return this.value;
  }
};
globalThis.FinalizationRegistry ??= class {
  register() {}
  unregister() {}
};
/** As main/windows/security.ts answers with it. */
globalThis.Response ??= class {
  constructor(body, { status = 200, headers = {} } = {}) {
    Object.assign(this, { body, status, headers });
  }
};

Socket.prototype.resetAndDestroy ??= Socket.prototype.destroy;

const { toString } = Buffer.prototype;
Buffer.prototype.toString = function (encoding, ...rest) {
  if (encoding !== 'base64url') return toString.call(this, encoding, ...rest);
  return toString.call(this, 'base64').replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
};

// A text or a buffer is one chunk.
const { Readable } = require('stream');
const { from } = Readable;
Readable.from = (source, ...more) =>
  from.call(Readable, typeof source === 'string' || Buffer.isBuffer(source) ? [source] : source, ...more);

// abort-controller has the DOM's first version: no reason, no timeout, no any.
const { abort } = AbortController.prototype;
const reasons = new WeakMap();
AbortController.prototype.abort = function (reason = named('AbortError', 'This operation was aborted')) {
  if (!this.signal.aborted) reasons.set(this.signal, reason);
  abort.call(this);
};
Object.defineProperty(AbortSignal.prototype, 'reason', {
  get() {
    return reasons.get(this);
  },
});
AbortSignal.prototype.throwIfAborted = function () {
  if (this.aborted) throw this.reason;
};
AbortSignal.timeout = (ms) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(named('TimeoutError', 'The operation timed out')), ms).unref();
  return controller.signal;
};
AbortSignal.any = (signals) => {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
};

function named(name, message) {
  return Object.assign(new Error(message), { name });
}
