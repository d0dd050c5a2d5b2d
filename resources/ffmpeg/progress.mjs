// Progress of a build that takes minutes, with an estimate. It must never fail a build.

// CPU seconds that a build takes (from a fast to a slow machine), and for each step its share and the files it compiles.
const usual = {
  'linux-x64': {
    cpuSeconds: [150, 320],
    steps: {
      'compiling openh264': { share: 0.18, files: 97 },
      'configuring ffmpeg': { share: 0.08, files: 0 },
      'compiling ffmpeg': { share: 0.72, files: 390 },
    },
  },
  'win32-x64': {
    cpuSeconds: [230, 500],
    steps: {
      'compiling openh264': { share: 0.38, files: 86 },
      'configuring ffmpeg': { share: 0.22, files: 0 },
      'compiling ffmpeg': { share: 0.38, files: 390 },
    },
  },
};
const reportEveryMs = 10_000;

/** Give `line` every line of the build's output, and call `stop` at its end: it returns the seconds the build took. */
export function reportProgress(platform, cores, log) {
  const { cpuSeconds, steps } = usual[platform];
  const [least, most] = cpuSeconds.map((seconds) => clock(seconds / cores));
  const startedMs = performance.now();
  const elapsedSeconds = () => (performance.now() - startedMs) / 1000;
  let step = 'starting';
  let files = 0;
  let shareBefore = 0;
  log(`building ffmpeg for ${platform}, once for this recipe: ${least} to ${most} on ${cores} idle cores`);

  const timer = setInterval(() => {
    const { share, files: filesInStep } = steps[step] ?? { share: 0, files: 0 };
    const done = shareBefore + (filesInStep > 0 ? share * Math.min(1, files / filesInStep) : 0);
    const left = done > 0.05 ? `, about ${clock((elapsedSeconds() / done) * (1 - done))} left` : '';
    log(`${clock(elapsedSeconds())}  ${step}, ${Math.round(done * 100)} %${left}`);
  }, reportEveryMs);

  return {
    line(text) {
      if (text.startsWith('@ ')) {
        shareBefore += steps[step]?.share ?? 0;
        step = text.slice('@ '.length);
        files = 0;
        log(`${clock(elapsedSeconds())}  ${step}`);
      } else if (/^[A-Z0-9]+\t\S/.test(text)) {
        files += 1; // make's short form: what it does, a tab, the file.
      }
    },
    stop() {
      clearInterval(timer);
      return Math.round(elapsedSeconds());
    },
  };
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
