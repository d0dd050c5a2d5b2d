// Runs in the page of the player, put there by reviewPlayer.ts: what the <video> shows and the <audio> plays, as pixels and samples.
// Plain JavaScript: a program that runs from TypeScript adds helpers to its functions that a page does not have.
'use strict';

globalThis.reviewProbe = (() => {
  const video = () => document.querySelector('video');

  const until = (isSo, type) =>
    new Promise((resolve) => {
      const look = () => isSo() && resolve(true);
      video().addEventListener(type, look);
      look();
    });
  const loaded = () => until(() => video().readyState >= 2, 'loadeddata');
  const settled = () => until(() => !video().seeking, 'seeked');

  /** A part of the picture, one byte of brightness for each pixel, as base64. */
  function strip({ x, y, width, height }) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video(), x, y, width, height, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    let text = '';
    for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at + 1]);
    return btoa(text);
  }

  /** From the next press of the pointer to the frame that is shown for it, in ms. */
  let shownAfter = null;
  function watchSeek() {
    shownAfter = new Promise((resolve) => {
      const onPress = () => {
        const pressed = performance.now();
        video().requestVideoFrameCallback((now) => resolve(Math.max(now, performance.now()) - pressed));
        // Within the same frame no new one is presented.
        const onSeeked = () =>
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - pressed)));
        video().addEventListener('seeked', onSeeked, { once: true });
      };
      document.addEventListener('pointerdown', onPress, { capture: true, once: true });
    });
  }

  let listening = null;

  /** The audio goes through Web Audio, which has the time at which each sample is heard. */
  async function listen({ part, toneMs }) {
    listening = { heard: [], shown: [], breaks: [] };
    const element = video();
    const audio = document.querySelector('audio');
    const onFrame = (_, { expectedDisplayTime, mediaTime }) => {
      if (!element.paused && !element.seeking)
        listening.shown.push({
          ...{ atMs: expectedDisplayTime, mediaMs: mediaTime * 1000, rate: element.playbackRate },
          strip: strip(part),
        });
      element.requestVideoFrameCallback(onFrame);
    };
    element.requestVideoFrameCallback(onFrame);
    for (const type of ['seeking', 'seeked', 'pause', 'play', 'ratechange'])
      element.addEventListener(type, () => listening.breaks.push(performance.now()));
    // Audio that begins in the middle of a tone has none of its beginning.
    let begunMs = -Infinity;
    for (const type of ['play', 'playing', 'seeking', 'seeked'])
      audio.addEventListener(type, () => (begunMs = performance.now()));

    const output = new AudioContext({ latencyHint: 'interactive' });
    await output.resume();
    const source = output.createMediaElementSource(audio);
    // A worklet would need a script of its own, which the page's policy does not allow.
    const probe = output.createScriptProcessor(256, 1, 1);
    source.connect(probe);
    source.connect(output.destination);
    probe.connect(output.destination);
    const { sampleRate } = output;
    let quietSince = 0;
    let tone = null;
    probe.onaudioprocess = ({ inputBuffer, playbackTime }) => {
      const samples = inputBuffer.getChannelData(0);
      const { contextTime = 0, performanceTime = 0 } = output.getOutputTimestamp();
      // The probe hears one block before its own output is played.
      const blockMs =
        performanceTime + (playbackTime - contextTime) * 1000 - (samples.length / sampleRate) * 1000;
      samples.forEach((sample, index) => {
        const atMs = blockMs + (index / sampleRate) * 1000;
        if (tone !== null) {
          tone.samples.push(sample);
          // Its beginning is blurred by the change of speed.
          const blurred = Math.round(0.01 * sampleRate);
          const lengthMs = Math.min((toneMs / audio.playbackRate) * 0.6, 60);
          if (tone.samples.length < blurred + (lengthMs / 1000) * sampleRate) return;
          const clear = tone.samples.slice(blurred);
          const crossings = clear.filter((one, at) => at > 0 && one >= 0 !== clear[at - 1] >= 0).length;
          const hz = crossings / 2 / (clear.length / sampleRate);
          listening.heard.push({ atMs: tone.atMs, hz, rate: element.playbackRate });
          tone = null;
          quietSince = atMs;
        } else if (Math.abs(sample) >= 0.08) {
          if (atMs - quietSince > 90 && atMs - begunMs > 150) tone = { atMs, samples: [sample] };
          quietSince = atMs;
        }
      });
    };
  }

  return { loaded, settled, strip, watchSeek, shownAfter: () => shownAfter, listen, heard: () => listening };
})();
