// node:timers/promises, which Node 12 has not.
module.exports = {
  setTimeout: (ms, value, { ref = true } = {}) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, value);
      if (!ref) timer.unref();
    }),
};
